"""Gradients that belong to no loss at all: wrong below the output layer whatever the loss is.

A backward pass is linear in the error that it begins with. Where the output layer's gradient is made of one value d as if
d were the adjoint of the value t below it, and all gradients are linear in d, then every gradient must be that of <d, t>,
whichever loss d belongs to. One that is not is wrong in itself; which loss is meant, the error at the output says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import ReplayError
from ..tape.adjoint import Ratio, close
from ..tape.replay import Objective
from ..tape.training import Held, LossFound, Training
from .deltas import before, made_of_errors, meant_among
from .losses import Output, implied_losses

_LINEAR = 1e-9  # beside a gradient, what its linear part may be off by
_FACTOR = 2.0


def wrong_under_any(training: Training, last: Held) -> LossFound | None:
    """The standard loss whose error the backward pass begins with, where gradients are wrong under every loss; else None."""
    origins = [i for h in training.parameters for i in h.tensor.nodes]
    gradients = [i for h in training.parameters for i in h.claim.gradient_nodes]
    found = implied_losses(training.replay, gradients, origins)
    for outputs in {id(o): o for _, o in found}.values():
        if _is_wrong_under_any(training, outputs, last):
            return meant_among(training, [loss for loss, o in found if o is outputs], outputs)[-1]
    return None


def _is_wrong_under_any(training: Training, outputs: Sequence[Output], last: Held) -> bool:
    for deltas, targets in _pairs(training, outputs, last):
        objective = _linear(training, deltas, targets)
        factor = _factor(training.adjoints.ratio(last.claim, objective, crude=True))
        if factor is None or not _are_linear(training, deltas):
            continue
        others = [h for h in training.parameters if h is not last]
        ratios = [training.adjoints.ratio(h.claim, objective, crude=True) for h in others]
        known = [r for r in ratios if r is not None and not (r.zero and r.value is not None)]
        return bool(known) and any(r.value is None or not close(r.value, factor) for r in known)
    return False


def _pairs(training: Training, outputs: Sequence[Output], last: Held) -> Iterator[tuple[list[int], list[int]]]:
    """What the last parameter's gradient is made of from each output's error, and what it goes through to the output."""
    replay = training.replay
    behind = replay.upstream([replay.canonical[i] for i in last.claim.gradient_nodes])
    below_last = replay.downstream([replay.canonical[i] for i in last.tensor.nodes])
    made = _by_place(training, [[i for i in m if i in behind] for m in made_of_errors(training, outputs)])
    below = _by_place(training, [[i for i in before(training, o) if i in below_last] for o in outputs])
    for deltas in made:
        for targets in below[::-1]:
            yield deltas, targets


def _by_place(training: Training, values: Sequence[Sequence[int]]) -> list[list[int]]:
    """The values that one place of the source made once more for each output, for places that all outputs have."""
    found = []
    for nodes in values:
        seen: dict[tuple[int | None, int], int] = {}
        for i in nodes:
            site = training.replay.tape.nodes[i].site
            place = site.id if site is not None else None
            seen[place, sum(p == place for p, _ in seen)] = i
        found.append(seen)
    return [[seen[key] for seen in found] for key in found[0] if all(key in seen for seen in found)]


def _linear(training: Training, deltas: Sequence[int], targets: Sequence[int]) -> Objective:
    values = [np.asarray(training.replay.base(i), dtype=float) for i in deltas]

    def combine(found: Sequence[Any]) -> Any:
        return sum(np.sum(np.reshape(v, np.shape(t)) * np.asarray(t)) for v, t in zip(values, found, strict=True))

    return Objective(("linear", tuple(deltas), tuple(targets)), tuple(targets), combine)


def _factor(ratio: Ratio | None) -> float | None:
    return None if ratio is None or ratio.zero else ratio.value


def _are_linear(training: Training, deltas: Sequence[int]) -> bool:
    """Whether all gradients grow by the factor that the values grow by: nothing else flows into them."""
    replay = training.replay
    gradients = [i for h in training.parameters for i in h.claim.gradient_nodes]
    try:
        grown = replay.evaluate(gradients, {i: _FACTOR * replay.base(i) for i in deltas})
    except (ReplayError, TypeError, ValueError, ArithmeticError):
        return False
    for i, value in zip(gradients, grown, strict=True):
        wanted = _FACTOR * np.asarray(replay.base(i), dtype=float)
        if not np.all(np.abs(value - wanted) <= _LINEAR * np.max(np.abs(wanted), initial=0.0)):
            return False
    return True
