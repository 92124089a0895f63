"""A factor that belongs to an update: that of others has it, and that of a gradient which is off by it has not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..checks.gradients import Measured
from ..tape.adjoint import close
from ..tape.steps import Steps

if TYPE_CHECKING:
    from .blame import Blame


def lacks_factor(blame: Blame, m: Measured) -> bool:
    """Whether a gradient is off by what the updates of right ones multiply theirs with."""
    ratio = m.ratio.value if m.ratio else None
    if ratio is None or ratio <= 0 or close(ratio, 1.0):
        return False
    right = (o for o in blame.check.measured if o.verdict == "right" and o.held.evidence == "update")
    return any(close(ratio * factor, 1.0) for o in right for factor in _in_update(blame, o))


def _in_update(blame: Blame, m: Measured) -> list[float]:
    """The factors that the update of a gradient multiplies it with, those that all updates share left out."""
    made = m.held.claim.gradient_nodes[-1]
    step, site = blame.update_site(m, made), blame.nodes[made].site
    if step is None or site is None or site.statement is not step.statement:
        return []
    inner = ((s, blame.nodes[s.node].site) for s in blame.replay.once(Steps).algebra.all_scalings(made))
    return [
        abs(float(np.prod([f[0] for f in s.factors if f not in m.held.factors])))
        for s, own in inner
        if own is not None and own.statement is not site.statement
    ]
