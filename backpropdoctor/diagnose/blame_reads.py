"""A name that holds the wrong value: read by several statements, all of which are right once it holds another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..checks.gradients import Measured
from ..errors import ReplayError
from ..tape.tape import Binding
from .blame_together import right_with

if TYPE_CHECKING:
    from .blame import Blame, Root

_MOST_VALUES = 60  # forward values that are tried in the place of the one that is read


def one_reading(blame: Blame, wrong: Sequence[Measured], roots: list[Root]) -> list[Root]:
    """One root at the statement that gave a value its name, where another value makes all gradients right; else these."""
    if len({blame.line_key(root) for root in roots}) < 2:
        return roots
    names = {name for root in roots for name in root.affects}
    rows = [m for m in wrong if m.held.tensor.name in names]
    common = set.intersection(*(_read(blame, root) for root in roots))
    for value in sorted(common):
        binding = _binding(blame, value, roots)
        if binding is None or not _mended_by_another(blame, value, rows):
            continue
        root = blame.make_root(roots[0].node, None)
        root.site, root.names, root.ratio = binding.site, [binding.name], None
        root.instances = sorted({i for r in roots for i in r.instances})
        root.affects = list(dict.fromkeys(name for r in roots for name in r.affects))
        return [root]
    return roots


def _read(blame: Blame, root: Root) -> set[int]:
    """The forward values that the statement of a root reads."""
    home = blame.home(root.node)
    found, seen, stack = set[int](), set(root.instances), list(root.instances)
    while stack:
        for j in blame.replay.inputs(stack.pop()):
            if j in seen:
                continue
            seen.add(j)
            if j in blame.cotangents.forward and j not in blame.cotangents.backward:
                found.add(j)
            elif blame.home(j) == home or blame.nodes[j].kind == "view":
                stack.append(j)
    return found


def _binding(blame: Blame, value: int, roots: Sequence[Root]) -> Binding | None:
    """What gave a value its name in the backward pass last, before the roots read it."""
    functions = {root.site.function for root in roots}
    first = min(min(root.instances) for root in roots)
    made = blame.nodes[value].site
    found = [
        b
        for b in blame.cotangents.names(value)
        if b.how == "assign" and b.at <= first and {b.site.function} == functions
        if made is None or b.site.statement is not made.statement
    ]
    return found[-1] if found else None


def _mended_by_another(blame: Blame, value: int, rows: Sequence[Measured]) -> bool:
    """Whether another forward value, read by the backward pass in the place of one, makes all gradients right."""
    forward, replay = blame.cotangents.forward, blame.replay
    gradients = [g for m in rows for g in m.held.claim.gradient_nodes]
    shape = np.shape(blame.nodes[value].value)
    others = [i for i in forward if i != value and np.shape(blame.nodes[i].value) == shape]
    for other in sorted(others, key=lambda i: abs(i - value))[:_MOST_VALUES]:
        try:
            values = replay.evaluate(gradients, {value: replay.base(other)}, forward)
        except ReplayError:
            continue
        made = dict(zip(gradients, values, strict=True))
        if all(right_with(blame, m, made) for m in rows):
            return True
    return False
