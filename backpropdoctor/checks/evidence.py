"""Whether a loss is one that a backward pass belongs to: nothing is accused under another."""

from __future__ import annotations

from .cotangents import Cotangents
from .gradients import Check


def settle_evidence(check: Check) -> None:
    """Make wrong gradients undecided where neither gradients nor what they are made of belong to the loss.

    A loss is right for a backward pass where some value of it is the adjoint of something. Under a standard loss that the
    script does not compute each wrong gradient itself must be made of such a value.
    """
    loss = check.training.loss
    assert loss is not None
    fits = any(m.ratio is not None and m.ratio.value and not m.ratio.zero for m in check.measured)
    if not check.wrong or loss.source == "declared" or (fits and loss.source != "implied"):
        return
    cotangents = Cotangents(check.training, check.uniform)
    replay = check.training.replay
    held = {i for i, pair in cotangents.paired.items() if pair.target not in cotangents.origins}
    for m in check.wrong:
        above = replay.upstream(m.held.claim.gradient_nodes, barrier=cotangents.origins)
        if (loss.source == "implied" and not above & held) or not (held or fits):
            m.verdict, m.reason = "undecided", f"nothing it is made of belongs to the {loss.name}, which may not be its loss"
