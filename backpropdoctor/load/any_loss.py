"""Gradients that belong to no loss at all: wrong below the output layer whatever the loss is.

A backward pass is linear in the error that it begins with. Where the output layer's gradient is made of one value d as if
d were the adjoint of the value t below it, and all gradients are linear in d, then every gradient must be that of <d, t>,
whichever loss d belongs to. One that is not is wrong in itself; which loss is meant, the error at the output says.

Where the output layer's gradient is wrong too, no d is known; then it is asked whether any would do. Along directions of all
parameters the outputs change by J u, and the gradients have to be <d, J u>: more equations than d has elements.
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
_MOST = 64  # elements of the outputs: so many directions and some more are replayed
_MORE = 3  # equations than unknowns
_STEP = 1e-30
_FITS = 1e-6  # beside the largest, what equations that one cotangent solves may be off by


def wrong_under_any(training: Training, last: Held) -> LossFound | None:
    """The standard loss whose error the backward pass begins with, where gradients are wrong under every loss; else None."""
    origins = [i for h in training.parameters for i in h.tensor.nodes]
    gradients = [i for h in training.parameters for i in h.claim.gradient_nodes]
    found = implied_losses(training.replay, gradients, origins)
    for outputs in {id(o): o for _, o in found}.values():
        if _is_wrong_under_any(training, outputs, last) or _fits_no_cotangent(training, outputs):
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


def _fits_no_cotangent(training: Training, outputs: Sequence[Output]) -> bool:
    """Whether the gradients are linear in the errors at the outputs, and no cotangent of these gives them all."""
    replay = training.replay
    errors = [i for o in outputs for i in replay.consumers.get(o.node, ()) if _is_error(training, i, o)]
    size = sum(np.size(o.target) for o in outputs)
    behind = replay.upstream([o.node for o in outputs])
    if size > _MOST or not all(replay.canonical[i] in behind for h in training.parameters for i in h.tensor.nodes):
        return False
    if not errors or not _are_linear(training, errors):
        return False
    numbers = range(size + _MORE)
    try:
        moved = np.array([_moved(training, outputs, number) for number in numbers])
        claimed = np.array([sum(training.adjoints.claimed(h.claim, n)[0] for h in training.parameters) for n in numbers])
        found = np.linalg.lstsq(moved, claimed, rcond=None)[0]
    except (ReplayError, TypeError, ValueError, ArithmeticError, np.linalg.LinAlgError):
        return False
    return float(np.max(np.abs(moved @ found - claimed))) > _FITS * float(np.max(np.abs(claimed)))


def _is_error(training: Training, i: int, output: Output) -> bool:
    """Whether a value is what the backward pass makes of an output and its target."""
    site = training.replay.tape.nodes[i].site
    return site is not None and output.site is not None and site.id == output.site.id


def _moved(training: Training, outputs: Sequence[Output], number: int) -> np.ndarray:
    """How the outputs change when all parameters move along a direction of their own."""
    replay, nodes = training.replay, [i for h in training.parameters for i in h.tensor.nodes]
    moved = {i: replay.base(i) + 1j * _STEP * training.adjoints.direction(i, number) for i in nodes}
    found = replay.evaluate([o.node for o in outputs], moved)
    return np.concatenate([np.ravel(np.imag(v)) for v in found]) / _STEP


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
