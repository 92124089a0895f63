"""A factor that some gradients share: a convention of the backward pass, or the trace of the one fault in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..checks.gradients import Check, Measured
from ..tape.adjoint import SAME, Ratio, close
from .blame import Blame


def blame_of(check: Check) -> Blame:
    """The blame of a step, without the factor that some gradients share where one root accounts for everything then.

    One alone has it by chance; beside a weight decay the parameters that do not decay have the factor of the fault.

    Of a loss that is not written down nobody says whether it is a sum or a mean: if some gradients are those of the one and
    some of the other, the scale that accuses the fewest statements is taken; of equals the division that is there is meant.
    """
    by_count = _by_count(check)
    if by_count is not None:
        ways = [Blame(check), Blame(by_count)]
        return min(ways, key=lambda b: (len({b.line_key(r) for r in b.roots()}), b.check.uniform))
    shared = [m for m in check.measured if m.ratio and m.ratio.value and abs(m.ratio.value - check.uniform) <= 10 * SAME]
    loss = check.training.loss
    if abs(check.uniform - 1) > 10 * SAME and 0 < len(shared) < len(check.wrong) and loss and loss.source != "implied":
        other = Blame(replace(check, uniform=1.0, fixed=True))
        roots = other.roots()
        if len(roots) == 1 and not roots[0].tensors and {m.held.tensor.name for m in check.wrong} <= set(roots[0].affects):
            check.uniform, check.fixed = 1.0, True
            return other
    return Blame(check)


def _by_count(check: Check) -> Check | None:
    """The check of a loss that is not written down in the other scale that gradients have: the mean's, or the sum's."""
    loss = check.training.loss
    if loss is None or loss.source != "implied" or check.fixed:
        return None
    ratios = [m.ratio.value for m in check.wrong if m.ratio and m.ratio.value and not m.ratio.zero]
    shared = next((r for r in ratios if any(close(r, v) for n in _counts(check) for v in (n, 1 / n))), None)
    if shared is None or not any(
        m.verdict == "right" and m.ratio and m.ratio.value and not m.ratio.zero for m in check.measured
    ):
        return None
    return replace(check, measured=[_rescaled(m, shared) for m in check.measured], uniform=check.uniform * shared)


def _counts(check: Check) -> set[int]:
    """How many values a loss may have taken the mean over: of one sample, of all, of the samples one by one."""
    assert check.training.loss is not None
    nodes = check.training.loss.objective.nodes
    shapes = [np.shape(check.training.replay.base(i)) for i in nodes]
    found = {n * k for s in shapes for n in (*s, int(np.prod(s))) for k in (1, len(nodes))} | {len(nodes)}
    return {n for n in found if n > 1}


def _rescaled(m: Measured, scale: float) -> Measured:
    """A gradient as it is if one of the loss times `scale` is right."""
    if m.ratio is None or m.ratio.value is None or m.ratio.zero or m.verdict == "undecided":
        return m
    value = m.ratio.value / scale
    right = abs(value - 1) <= 10 * SAME
    return replace(m, ratio=Ratio(1.0 if right else value, m.ratio.error), verdict="right" if right else "wrong")
