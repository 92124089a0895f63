"""Roots that are all off by one and the same factor: that of a value that they are all made of, which is the one root."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..tape.adjoint import Tensor, close

if TYPE_CHECKING:
    from .blame import Blame, Root


def one_factor(blame: Blame, roots: list[Root]) -> list[Root]:
    """One root where a value that all are made of is an adjoint times the factor that all of them have; else these."""
    ratio = roots[0].ratio if roots else None
    if len({blame.line_key(root) for root in roots}) < 2 or ratio is None or close(ratio, 1.0):
        return roots
    if any(root.ratio is None or not close(root.ratio, ratio) for root in roots):
        return roots
    above = [blame.replay.upstream([root.node], barrier=blame.cotangents.origins) for root in roots]
    common = (set.intersection(*above) & blame.cotangents.backward) - blame.cleared - {root.node for root in roots}
    targets = {i: t for i in common if (t := _target(blame, i, ratio)) is not None}
    if not targets:
        return roots
    first = min(targets)
    root = blame.make_root(first, targets[first])
    root.ratio, root.instances = ratio, [first]
    root.affects = list(dict.fromkeys(name for r in roots for name in r.affects))
    return [root]


def _target(blame: Blame, i: int, ratio: float) -> int | None:
    """The forward value whose adjoint a value is in another shape perhaps, times a factor that the backward pass has not."""
    factor = blame.cotangents.sign * abs(blame.cotangents.scale or 1.0) * ratio
    value = np.asarray(blame.replay.base(i))
    if value.dtype.kind != "f" or value.size < 2 or blame.is_adjoint(i):
        return None
    same = (t for t in sorted(blame.cotangents.forward) if np.size(blame.nodes[t].value) == value.size)
    return next((t for t in same if _is_multiple(blame, value, t, factor)), None)


def _is_multiple(blame: Blame, value: np.ndarray, t: int, factor: float) -> bool:
    """Whether a value is a factor times the adjoint of a forward value along two directions."""
    for number in (0, 1):
        slope = blame.adjoints.slope(Tensor("", (t,)), blame.objective, number, crude=True)
        mine = float(np.dot(value.ravel(), blame.adjoints.direction(t, number).ravel()))
        if slope is None or not slope.value or not close(mine / slope.value, factor):
            return False
    return True
