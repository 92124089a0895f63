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
    """The roots, each that no cotangent reaches at what is called an adjoint above it; equal ones are one."""
    found: dict[tuple[str, int, int], Root] = {}
    for root in roots:
        bare = _bare(blame, root)
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


def _bare(blame: Blame, root: Root) -> int | None:
    """The first value above a root that no cotangent reaches which is called an adjoint, and is made of mere numbers.

    Zeros that a sum begins with are none.
    """
    cotangents, nodes = blame.cotangents, blame.nodes
    above = blame.replay.upstream([root.node], barrier=cotangents.origins | cotangents.forward)
    if any(blame.accepts(i) for i in above & cotangents.paired.keys()):
        return None
    forward = cotangents.origins | cotangents.forward
    made = (
        i for i in sorted(above - forward) if nodes[i].kind == "op" and np.size(nodes[i].value) > 1 and np.any(nodes[i].value)
    )
    bare = (i for i in made if blame.named_target(i) is not None and not blame.replay.upstream([i]) & forward)
    return next(bare, None)
