"""What is called an adjoint and is none: no cotangent went into it, and so the way back begins anew where it is made.

`dact = np.ones_like(act) / 16` leaves out the cotangent that it should hand on; all that is made of it is inherited.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .blame import Blame, Root


def at_bare(blame: Blame, roots: Sequence[Root]) -> list[Root]:
    """The roots, each that no cotangent reaches at the one value it reads that is called an adjoint; equal ones are one."""
    found: dict[tuple[str, int, int], Root] = {}
    for root in roots:
        bare = _bare_operand(blame, root)
        if bare is not None:
            moved = blame.make_root(bare, None)
            moved.instances, moved.affects = [bare], root.affects
            root = moved
        kept = found.setdefault(blame.line_key(root), root)
        if kept is not root:
            kept.affects = list(dict.fromkeys((*kept.affects, *root.affects)))
            kept.tensors = list(dict.fromkeys((*kept.tensors, *root.tensors)))
            kept.instances = sorted({*kept.instances, *root.instances})
    return list(found.values())


def _bare_operand(blame: Blame, root: Root) -> int | None:
    """What a root's statement reads that is called the adjoint of a forward value, where nothing it reads is made of one."""
    read, stack, home = set[int](), [root.node], blame.home(root.node)
    while stack:
        for j in blame.replay.inputs(stack.pop()):
            if j not in read:
                read.add(j)
                if blame.home(j) == home:
                    stack.append(j)
    own = {j for j in read if blame.home(j) == home}
    above = blame.replay.upstream(read, barrier=blame.cotangents.origins)
    if any(blame.accepts(i) for i in above & blame.cotangents.paired.keys()):
        return None
    forward = blame.cotangents.forward | blame.cotangents.origins
    named = [j for j in read - own - forward if np.size(blame.nodes[j].value) > 1 and blame.named_target(j) is not None]
    made = [j for j in named if blame.nodes[j].kind in ("op", "write") and blame.nodes[j].site is not None]
    return made[0] if len(made) == 1 else None
