"""Claims of gradients that only the company of other updates makes: kept where the measured gradients bear them out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..tape.adjoint import close

if TYPE_CHECKING:
    from .gradients import Check, Measured


def settle_claims(check: Check) -> None:
    """Keep what is measured to be right, or wrong beside gradients that are right; drop every other claim.

    A value that the loss does not depend on is no parameter. A step up its own gradient is one of a saddle (a multiplier).
    What takes the place of a value is a fault where it is the value's own gradient, and an accident of names otherwise.
    """
    claims = [m for m in check.measured if m.held.evidence != "update"]
    if not claims:
        return
    scales = _scales(check)
    kept = [m for m in claims if m.verdict == "wrong" and _is_borne_out(check, m, scales)]
    kept += [m for m in claims if m.held.evidence == "replaced" and m not in kept and _is_gradient(m, scales)]
    for m in kept:
        m.verdict = "wrong"
    right = [m for m in claims if m.held.evidence == "company" and m.verdict == "right" and m.ratio and not m.ratio.zero]
    dropped = [m for m in claims if m not in kept and m not in right]
    check.measured[:] = [m for m in check.measured if m not in dropped]
    check.training.parameters[:] = [h for h in check.training.parameters if all(h is not m.held for m in dropped)]


def _scales(check: Check) -> list[float]:
    """The ratios to the truth of the gradients that are right but for a factor that all share."""
    found = [m for m in check.measured if m.held.evidence == "update" and m.ratio is not None and not m.ratio.zero]
    values = [m.ratio.value for m in found if m.ratio is not None and m.ratio.value]
    return [v for v in values if any(close(v, s) for s in (1.0, check.uniform))]


def _is_borne_out(check: Check, m: Measured, scales: list[float]) -> bool:
    if m.held.evidence != "company" or not scales or m.ratio is None or m.ratio.zero:
        return False
    if m.ratio.value is not None and any(close(-m.ratio.value, s) for s in scales):
        return False
    return _is_in_loss(check, m)


def _is_in_loss(check: Check, m: Measured) -> bool:
    """Whether the loss depends on the value."""
    loss = check.training.loss
    slope = check.training.adjoints.slope(m.held.tensor, loss.objective, 0) if loss is not None else None
    return slope is not None and abs(slope.value) > 10 * slope.error


def _is_gradient(m: Measured, scales: list[float]) -> bool:
    """Whether what takes the place of a value is its gradient, in the direction of the others or against it."""
    value = m.ratio.value if m.ratio is not None and not m.ratio.zero else None
    return value is not None and any(close(abs(value), s) for s in scales)
