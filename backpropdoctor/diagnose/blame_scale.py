"""A factor that some gradients share: a convention of the backward pass, or the trace of the one fault in it."""

from __future__ import annotations

from dataclasses import replace

from ..checks.gradients import Check
from ..tape.adjoint import SAME
from .blame import Blame


def blame_of(check: Check) -> Blame:
    """The blame of a step, without the factor that some gradients share where one root accounts for everything then.

    One alone has it by chance; beside a weight decay the parameters that do not decay have the factor of the fault.
    """
    shared = [m for m in check.measured if m.ratio and m.ratio.value and abs(m.ratio.value - check.uniform) <= 10 * SAME]
    loss = check.training.loss
    if abs(check.uniform - 1) > 10 * SAME and 0 < len(shared) < len(check.wrong) and loss and loss.source != "implied":
        other = Blame(replace(check, uniform=1.0, fixed=True))
        roots = other.roots()
        if len(roots) == 1 and not roots[0].tensors and {m.held.tensor.name for m in check.wrong} <= set(roots[0].affects):
            check.uniform, check.fixed = 1.0, True
            return other
    return Blame(check)
