"""Run a training script just as far as it must, and decide at the end of each step whether enough was recorded."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..tape.replay import Replay
from ..tape.steps import Steps
from ..tape.tape import Iteration, Site, Tape
from .conventions import is_loss_name
from .parameters import Parameters

ENOUGH = 3  # training steps that are recorded: one to check, one for fresh probes, one because losses come late
_ROUNDS = 3  # iterations of the outermost loop after which a loop without any update is looked at
# Looks are counted in operations and never by the clock: the same script is recorded alike on any machine.
_SHARE = 5  # operations that may be looked at for each one recorded
_SHORT = 3000  # operations: a tape so short is looked at whenever an iteration begins
_BRIEF = 20_000  # operations: after a turn no longer than that a second one costs little, as does to wait for a first update
_LIGHT = 1_000_000  # elements of all values recorded while a memory is filled
_NEAR = 0.9  # of the operations that were enough for a script, after which an edited one is looked at
_ASKED = 10  # an examination is worth as many looks


class StepPolicy:
    """Records the first steps of each loop that may be the training loop; asks `examine` once enough is on the tape.

    `examine(tape)` returns True where the script should stop, False where it should run on unrecorded, and None where
    nothing was found to check in this loop, so that a later one is to be recorded.
    """

    is_loss_name = staticmethod(is_loss_name)  # a script's own loss is asked for where the loop does not compute it

    def __init__(self, examine: Callable[[Tape], bool | None], *, step_function: str | None = None, earlier: int = 0) -> None:
        """`earlier` is how many operations were enough before the script was edited: long before that nothing is looked at."""
        self._examine = examine
        self._step_function = step_function
        self._least = _NEAR * earlier
        self._outermost: tuple[int, int] | None = None
        self._spent = 0  # operations looked at
        self._looked_at = 0
        self._asked_at = 0
        self._answerless: Iteration | None = None  # the turn of an inner loop after which steps were found, and no loss
        self.examined = False
        self.finished = False
        self._given_up: set[int] = set()
        self._gathering = False
        self._filling = False
        self._weighed = self._elements = 0  # the operations whose results were counted, and their elements

    def begin(self, site: Site, instance: int, iteration: int, tape: Tape) -> bool:
        """Called at the start of each iteration of a loop that may be the training loop: whether to record it."""
        if self.finished:
            return False
        if self._outermost is None:
            if site.id in self._given_up or (self._step_function and not calls(site, self._step_function)):
                return False
            self._outermost = (site.id, instance)
        outer = self._outermost == (site.id, instance)
        if (
            iteration >= 1
            and self._due(tape, outer, iteration)
            and self._is_enough(tape, None if outer else (site.id, instance), iteration)
        ):
            return self._ask(tape, site, outer and iteration >= _ROUNDS)
        if not outer and iteration > 1 and self._is_around(site, instance, tape):
            return self._ask(tape, site, True)
        if outer and iteration >= _ROUNDS and not self._gathers(tape, iteration):
            return self._ask(tape, site, outer)
        return True

    def _is_around(self, site: Site, instance: int, tape: Tape) -> bool:
        """Whether the loop in which steps without a loss were found stood inside this one: its epochs would have shown it."""
        inner = self._answerless
        if inner is None or inner.site is site:
            return False
        begun = next((e.at for e in tape.iterations if (e.site.id, e.instance) == (site.id, instance)), inner.at)
        return begun <= inner.at

    def _gathers(self, tape: Tape, iteration: int) -> bool:
        """Whether the first turns of a loop only summed up arrays, or changed none: a later one may train with what they made.

        Gradients of small batches are summed up, a memory is filled until it holds a batch.
        """
        if iteration == _ROUNDS:
            parameters = Parameters(Steps(Replay(tape)))
            turns = [e.at for e in tape.iterations if self._outermost == (e.site.id, e.instance)]
            self._filling = not parameters.updates and not changes_arrays(parameters.steps)
            self._gathering = not parameters.updates and sums_up(parameters.steps, turns)
        return (self._gathering and len(tape.nodes) < _SHORT) or (self._filling and self._is_light(tape))

    def _is_light(self, tape: Tape) -> bool:
        """Whether what was recorded is little enough to go on until a memory is full."""
        self._elements += sum(int(np.size(node.value)) for node in tape.nodes[self._weighed :])
        self._weighed = len(tape.nodes)
        return self._weighed < _BRIEF and self._elements < _LIGHT

    def end(self, site: Site, instance: int, iterations: int, tape: Tape) -> None:
        """Called when such a loop has ended."""
        if self._outermost == (site.id, instance):
            self._outermost = None
            if not self.finished and iterations > 0 and tape.nodes:
                self._ask(tape, site, True)

    def _due(self, tape: Tape, outer: bool, iteration: int) -> bool:
        """Whether it is time to look for updates: often on a short tape, rarely on a long one."""
        if len(tape.nodes) < self._least:
            return False
        grown = len(tape.nodes) - self._looked_at
        early = iteration in (1, 2, 3, 4) and len(tape.nodes) < _SHORT
        if grown < 4 or (not outer and not early and grown < len(tape.nodes) // 3):
            return False
        return self._spent <= _SHARE * len(tape.nodes) or self._spent + len(tape.nodes) < _SHORT

    def _is_enough(self, tape: Tape, inner: tuple[int, int] | None, iteration: int) -> bool:
        """Whether enough training steps are on the tape, each of them a turn of the loop `inner` where one is given.

        A loop over the parameters changes another one in each turn: the end of such a turn is no step's end.
        """
        starts = [e.at for e in tape.iterations if (e.site.id, e.instance) == inner]
        if inner is not None and len(starts) < ENOUGH:
            return False
        if inner is None and iteration <= 1 and len(tape.nodes) < _BRIEF:
            return False  # what a turn begins anew, as the input of residual blocks, shows in the second turn only
        self._looked_at = len(tape.nodes)
        self._spent += len(tape.nodes)
        parameters = Parameters(Steps(Replay(tape)))
        self._filling = self._filling and not parameters.updates and not changes_arrays(parameters.steps)
        steps = parameters.by_step
        if len(steps) < ENOUGH or len(steps[ENOUGH - 1]) != len(steps[0]):
            return False
        if inner is None:
            return True
        turns: dict[Any, set[int]] = {}
        for update, _ in parameters.updates:
            turns.setdefault(parameters.updated.place(update), set()).add(bisect_right(starts, update.new))
        return any(len(found - {0}) >= ENOUGH for found in turns.values())

    def _ask(self, tape: Tape, site: Site, outer: bool) -> bool:
        if len(tape.nodes) == self._asked_at:
            return not outer
        self._asked_at = len(tape.nodes)
        self._spent += _ASKED * len(tape.nodes)
        answer = self._examine(tape)
        if answer is None:
            if outer:
                self._given_up |= {site.id, *(self._outermost or ())[:1]}
                self._outermost = None
            else:
                turns = (e for e in tape.iterations if e.site is site)
                self._answerless = self._answerless or next(turns, None)
            return not outer
        self.examined = self.finished = True
        if answer:
            stop()
        return False


def changes_arrays(steps: Steps) -> bool:
    """Whether any array is changed by something of its shape."""
    return any(np.size(steps.tape.nodes[u.new].value) > 1 for u in steps.updates)


def sums_up(steps: Steps, turns: Sequence[int]) -> bool:
    """Whether an array is added to in each of the turns (the numbers of nodes at their starts) since the first."""
    found = {u.new: u for u in steps.updates if u.self_factor == 1.0 and np.size(steps.tape.nodes[u.new].value) > 1}
    for update in found.values():
        reached = {bisect_right(turns, update.new)}
        while update.old in found:
            update = found[update.old]
            reached.add(bisect_right(turns, update.new))
        if reached - {0} == set(range(1, len(turns) + 1)):
            return True
    return False


def calls(site: Site, name: str) -> bool:
    """Whether the code of a loop calls a function or method of this name."""
    for node in ast.walk(site.node):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == name:
                return True
    return False


def stop() -> Any:
    """End the user's script here, at a step's end."""
    from ..tape.run import Stop

    raise Stop
