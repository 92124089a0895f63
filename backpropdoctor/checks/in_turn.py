"""Parameters that are updated in turn, each with the gradient at what the others have become: P first, then Q with the new P.

The gradient of such a parameter is that of the loss at the values that its own computation reads, which need not be those
that the script's loss was computed from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..tape.adjoint import Ratio, proportion, sure_slope
from ..tape.training import Held, Training

_DIRECTIONS = (0, 1, 2)


def ratio_in_turn(training: Training, held: Held) -> tuple[Ratio, tuple[str, ...]] | None:
    """A gradient over that of the loss at the values the gradient was made from, and the parameters changed before it.

    None where these are the values of the loss itself, or where it cannot be told.
    """
    versions = {o: (last, h.tensor.name) for h in training.parameters for o, last in zip(h.tensor.nodes, h.after, strict=False)}
    found = _places(training, held, versions)
    if found is None:
        return None
    own, others, changed = found
    ratio = _ratio(training, held, own, others)
    return (ratio, changed) if ratio is not None else None


def _places(
    training: Training, held: Held, versions: Mapping[int, tuple[int, str]]
) -> tuple[dict[int, int], dict[int, Any], tuple[str, ...]] | None:
    """Where the loss reads a tensor's nodes, and what it is to read of the others in the place of what it did."""
    assert training.loss is not None
    replay = training.replay
    objective = training.loss.objective
    above = replay.upstream(held.claim.gradient_nodes, barrier=set(versions))
    read = replay.upstream(objective.nodes, barrier=set(versions) | replay.borders)
    own: dict[int, int] = {}
    others: dict[int, Any] = {}
    changed: list[str] = []
    for origin, (last, name) in versions.items():
        if origin in read and last in read:
            return None
        place = last if last in read else origin
        if origin in held.tensor.nodes:
            own[origin] = place
            if last in above:
                return None
            continue
        wanted = last if last in above else origin
        if wanted != place and place in read:
            others[place] = replay.base(wanted)
        if wanted == last:
            changed.append(name)
    moved = others or any(origin != place for origin, place in own.items())
    return (own, others, tuple(dict.fromkeys(changed))) if moved and own else None


def _ratio(training: Training, held: Held, own: Mapping[int, int], others: Mapping[int, Any]) -> Ratio | None:
    assert training.loss is not None
    replay, objective = training.replay, training.loss.objective
    pairs = []
    for number in _DIRECTIONS:
        directions = training.adjoints.directions(held.tensor, number)

        def phi(t: complex, directions: Mapping[int, Any] = directions) -> complex:
            moved = {place: replay.base(origin) + t * directions[origin] for origin, place in own.items()}
            total = objective.value(lambda nodes, still: replay.evaluate(nodes, {**others, **moved}, still))
            return complex(total) if np.iscomplexobj(total) else float(total)

        slope = sure_slope(phi)
        if slope is None:
            return None
        pairs.append((*training.adjoints.claimed(held.claim, number), slope.value, slope.error))
    found = proportion(pairs)
    return None if found.zero else found
