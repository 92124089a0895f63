"""Several trainings that take turns in one step, each with its own loss: a discriminator and then a generator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..tape.training import Held, Training
from .understand import Recorded


def players(recorded: Recorded) -> list[Recorded]:
    """The steps of each player; [] where the parameters of a step are all updated before any is read again.

    The gradients of the next player are made with what the one before has just updated. One may take several turns in a row.
    """
    found: dict[frozenset[str], list[Training]] = {}
    most = 0
    for training in recorded.trainings:
        parts = list(_split(training))
        most = max(most, len(parts))
        for part in parts:
            found.setdefault(frozenset(h.tensor.name for h in part.parameters), []).append(part)
    if most < 2 or len(found) > most:
        return []
    return [Recorded(recorded.replay, steps, recorded.borders, recorded.totals) for steps in found.values()]


def _split(training: Training) -> Iterator[Training]:
    canon = training.replay.canonical
    updated: set[int] = set()
    group: list[Held] = []
    for held in sorted(training.parameters, key=lambda h: h.after):
        starts = {canon[i] for i in held.tensor.nodes}
        behind = training.replay.upstream([canon[i] for i in held.claim.gradient_nodes], barrier=starts | updated)
        if group and behind & updated:
            yield replace(training, parameters=group, unpaired=[])
            updated, group = set(), []
        group.append(held)
        updated |= {canon[i] for i in held.after}
    yield replace(training, parameters=group, unpaired=list(training.unpaired))
