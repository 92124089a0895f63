"""From a tape to a training step that can be checked: parameters with their gradients, and the loss they belong to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..tape.adjoint import Adjoints
from ..tape.replay import Replay
from ..tape.steps import Steps
from ..tape.tape import Tape
from ..tape.training import Held, Training
from .by_names import by_names
from .choose import choose_loss, fits_by_chance, score
from .holding import hold
from .parameters import Parameters

_TRIED = 8  # steps of the same parameters that no standard loss fits, after which none is tried
_ENDS = 12  # steps looked at among the first ones, and among the last: a loss is computed at once, or late
_FAR = 10  # times a parameter's size, and more than that: a step too far


@dataclass(slots=True)
class Recorded:
    """What a tape holds: its training steps without their loss, and where one step ends and the next begins."""

    replay: Replay
    trainings: list[Training]
    borders: set[int]
    totals: set[int]
    unguarded: tuple[str, ...] = ()  # sums with a small number that are read without it, each with its line


def recorded_steps(
    tape: Tape,
    params: Sequence[str] = (),
    namespace: Mapping[str, Any] | None = None,
    merged: Mapping[int, int] | None = None,
) -> Recorded:
    """The training steps on a tape, in order. `params` are names that a person declared; `namespace` helps with names.

    `merged` are the sums that are read without a small number in them, with what is left.
    """
    replay = Replay(tape, merged)
    adjoints = Adjoints(replay)
    steps = replay.once(Steps)
    parameters = Parameters(steps)
    borders = parameters.updated.borders
    replay.borders = frozenset(borders)
    found = []
    for number, members in enumerate(list(parameters.by_step) or by_names(parameters)):
        chosen = [p for p in members if not params or any(q in (p.name, p.parts[-1]) for q in params)]
        training = Training(replay, adjoints, number, None)
        training.parameters = list(hold(chosen, replay, training.unpaired, namespace or {}))
        if training.parameters or training.unpaired:
            found.append(training)
    spans = (tape.nodes[i].site for i in merged or ())
    unguarded = dict.fromkeys(f"`{s.span.text}` (line {s.span.line})" for s in spans if s is not None)
    return Recorded(replay, found, borders, set(_totals(steps, parameters, borders)), tuple(unguarded))


def understand(recorded: Recorded, *, loss: str | None = None) -> Iterator[Training]:
    """The recorded training steps with their loss, the one best suited for a check first.

    Steps whose loss the script computes come before steps whose loss is implied. `loss` is a name that a person declared.
    """
    found = list(recorded.trainings)
    most = max((len(t.parameters) for t in found), default=0)
    begun = {h.tensor.name: _largest(t, h) for t in reversed(found) for h in t.parameters}
    found.sort(key=lambda t: (len(t.parameters) < most, _has_run_away(t, begun), abs(t.step - 1)))
    found = found[:_ENDS] + found[_ENDS:][-_ENDS:]
    later = []
    chance: set[int] = set()
    without: Counter[tuple[str, ...]] = Counter()
    for training in found:
        names = tuple(h.tensor.name for h in training.parameters)
        standard = without[names] < _TRIED
        training.loss = choose_loss(training, loss, recorded.borders, recorded.totals, chance, standard=standard)
        without[names] += training.loss is None
        if fits_by_chance(training, found, recorded.borders, recorded.totals):
            assert training.loss is not None
            chance |= {training.loss.site.id} if training.loss.site else set()
            training.loss = choose_loss(training, loss, recorded.borders, recorded.totals, chance)
        if training.loss is not None and training.loss.source != "implied":
            yield training
        else:
            later.append(training)
    whole = [t for t in later if len(t.parameters) == most]
    if any(t.loss is None for t in whole):  # a standard loss that fits one step and not the next fits by chance
        for training in whole:
            if training.loss is not None and score(training, training.loss)[1] == 0:
                training.loss = None
    yield from sorted(later, key=lambda t: (t.loss is None, t.rival is None or t.rival.kind == "none"))


def _has_run_away(training: Training, begun: Mapping[str, float]) -> bool:
    """Whether a parameter is far larger than it was in its first step: where all is saturated no gradient tells anything."""
    return any(not _largest(training, h) <= _FAR * max(begun[h.tensor.name], 1.0) for h in training.parameters)


def _largest(training: Training, held: Held) -> float:
    """The size of the largest number in a parameter."""
    values = (np.asarray(training.replay.base(i)) for i in held.tensor.nodes)
    return max((float(np.max(np.abs(v), initial=0.0)) for v in values if v.dtype.kind in "fiu"), default=0.0)


def _totals(steps: Steps, parameters: Parameters, borders: set[int]) -> Iterator[int]:
    """The running sums and averages, and the means over several steps: numbers that mix the losses of these."""
    canon = steps.replay.canonical
    step_of = {canon[p.origin]: k for k, members in enumerate(parameters.by_step) for p in members}
    reached = _steps_reached(steps.replay, step_of, borders)

    for i, update in steps.by_new.items():
        if i in borders or np.size(steps.tape.nodes[i].value) != 1:
            continue
        before, after = reached.get(canon[update.old], 0), reached.get(i, 0)
        if update.self_factor != 1.0 or (before and before.bit_length() < after.bit_length()):
            yield from (i, canon[update.old])  # what it was after the first step is one as well
    for i, mask in reached.items():
        if mask.bit_count() > 1 and np.size(steps.tape.nodes[i].value) == 1 and i not in steps.by_new:
            yield i


def _steps_reached(replay: Replay, step_of: Mapping[int, int], borders: set[int]) -> dict[int, int]:
    """Which steps' parameters each value is made of, as the bits of a number, not counting what updates made of them."""
    found: dict[int, int] = {}
    for i in sorted(replay.downstream(step_of)):
        if i in borders and i not in step_of:
            continue
        mask = 0
        for j in replay.inputs(i):
            mask |= 1 << step_of[j] if j in step_of else 0 if j in borders else found.get(j, 0)
        found[i] = mask
    return found
