"""Several trainings that take turns in one step, each with its own loss: a discriminator and then a generator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..tape.training import Held, Training
from .understand import Recorded


def players(recorded: Recorded) -> list[Recorded]:
    """The steps of each player; [] where the parameters of a step are all updated before any is read again.

    The gradients of the next player are made with what the one before has just updated.
    """
    split = [list(_split(training)) for training in recorded.trainings]
    if not split or len(split[0]) < 2 or any(len(parts) != len(split[0]) for parts in split):
        return []
    return [Recorded(recorded.replay, list(steps), recorded.borders, recorded.totals) for steps in zip(*split, strict=True)]


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
