"""Gradients that hold a multiple of their parameter besides: weight decay, which is no fault of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..tape.adjoint import SAME, Ratio, complex_slope, shaped
from ..tape.training import Held, Training

if TYPE_CHECKING:
    from .gradients import Check


def with_decay(training: Training, held: Held) -> tuple[Ratio, float] | None:
    """A gradient that is that of the loss and a positive multiple of the parameter: weight decay, which is no fault.

    A parameter that is updated by rows decays in these rows. Two directions give the multiples, a third tests them.
    What is returned is the multiple of the gradient of the loss, and of the parameter beside that.
    """
    assert training.loss is not None
    if len(held.tensor.nodes) != 1:
        return None
    node, terms = held.tensor.nodes[0], held.claim.terms[0]
    if all(training.replay.canonical[t.node] != node for t in terms):
        return None  # a gradient of its own, and not the change that an update by rows made: its sums were looked into
    value = np.asarray(training.replay.base(node), dtype=float)
    gradient = sum(t.factor * shaped(training.replay.base(t.node), value.shape) for t in terms)
    touched = np.asarray(gradient) != 0
    rows, claimed = [], []
    for number in (0, 1, 2):
        u = training.adjoints.direction(node, number) * touched
        slope = complex_slope(training.replay.line({node: u}, training.loss.objective))
        if slope is None:
            return None
        rows.append((slope.value, float(np.sum(value * u))))
        claimed.append(float(np.sum(gradient * u)))
    (scale, decay), *_ = np.linalg.lstsq(np.array(rows[:2]), np.array(claimed[:2]), rcond=None)
    off = abs(scale * rows[2][0] + decay * rows[2][1] - claimed[2])
    size = abs(scale * rows[2][0]) + abs(decay * rows[2][1]) + abs(claimed[2])
    if scale <= 0 or decay <= 0 or not off <= SAME * size or touched.sum() < 3:
        return None
    return Ratio(float(scale), 0.0), float(decay / scale)


def settle_decay(check: Check) -> None:
    """Numbers, which cannot tell a decay from a scale, take the decay that the other parameters were seen to have."""
    decays = {round(m.decay, 9) for m in check.measured if m.decay}
    loss = check.training.loss
    for m in check.measured:
        if loss is None or loss.source != "implied" or m.verdict != "wrong" or len(m.held.tensor.nodes) != 1:
            continue
        node, terms = m.held.tensor.nodes[0], m.held.claim.terms[0]
        value = np.asarray(check.training.replay.base(node), dtype=float)
        gradient = np.asarray(sum(t.factor * shaped(check.training.replay.base(t.node), value.shape) for t in terms))
        touched = gradient != 0
        if touched.sum() >= 3:
            continue
        u = check.training.adjoints.direction(node, 0) * touched
        slope = complex_slope(check.training.replay.line({node: u}, loss.objective))
        if slope is None:
            continue
        rest, weight = float(np.sum(gradient * u)) - slope.value, float(np.sum(value * u))
        if any(abs(rest - d * weight) <= SAME * (abs(slope.value) + abs(d * weight)) for d in decays):
            m.verdict, m.ratio, m.reason = "right", Ratio(1.0, 0.0), "with the weight decay of the other parameters"
        elif not decays and rest * weight > 0 and abs(rest) < 0.1 * abs(slope.value):
            m.verdict, m.reason = "undecided", "a weight decay cannot be told from a fault in so few numbers"
