"""Policies for the runs of a script under the watch: where the run stands, what its state is, and when to stop."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from ...tape.run import Stop
from ...tape.tape import Site, Tape
from .forecast import Sampler
from .stack import looks_like_loss
from .standing import Open, Position, Standing, digest, sizes_of, state
from .values import is_finite

if TYPE_CHECKING:
    from .watch import NonfiniteWatch

_SHARE = 0.01  # of the running time may go into looking at values


class Values:
    """Which values of the training loop's frame have become non-finite since they were last looked at."""

    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.finite: dict[str, int] = {}  # name -> identity of the value when it was finite

    def look(self, found: dict[str, Any]) -> list[str]:
        """The parameters (changed in place, or named in an update) and losses that turned non-finite."""
        bad = []
        for name, value in found.items():
            if is_finite(value):
                self.finite[name] = id(value)
                continue
            same = self.finite.get(name) == id(value) and isinstance(value, np.ndarray)
            parts = set(name.replace("[", ".").replace("]", "").replace("'", "").split("."))
            carried = bool(parts & self.names) and name in self.finite
            if same or carried or (np.ndim(value) == 0 and looks_like_loss(name)):
                bad.append(name)
        return bad


def _around(loop: Site, other: Site) -> bool:
    """Whether a loop holds another one of the same file."""
    a, b = loop.span, other.span
    return loop is not other and a.path == b.path and a.line <= b.line and b.end_line <= a.end_line


@dataclass
class Watching:
    """The first run: nothing is recorded; values are looked at as often as one per cent of the time allow."""

    watch: NonfiniteWatch | None
    names: set[str]
    deadline: float | None = None
    most_steps: int | None = None
    progress: Callable[[int], None] | None = None
    every: bool = False
    first: Callable[[dict[str, Any]], None] | None = None  # called once with the state in which the loop begins
    hides: bool = False  # the program calls something that replaces NaN by numbers
    sampler: Sampler | None = None
    standing: Standing = field(default_factory=Standing)
    losses: list[tuple[int, str, float]] = field(default_factory=list)
    sizes: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    last_good: Position | None = None
    bad_at: Position | None = None
    bad: list[str] = field(default_factory=list)
    digests: dict[Position | None, str] = field(default_factory=dict)  # of the state after the step of a birth
    why: str = ""
    loop: Site | None = None
    _next: float = 0.0
    _quiet: float = 0.0  # until then an iteration begins with nothing to do
    _flags: int = 0  # as many were raised by the watch when nothing was left to follow
    _before: tuple[Position, Site, int] | None = None
    _top: Open | None = None
    _prefix: Position = ()

    def __post_init__(self) -> None:
        self._end = float("inf") if self.deadline is None else self.deadline
        self.values = Values(self.names)

    def begin(self, loop: Site, instance: int, iteration: int, tape: Tape) -> bool:
        top = self._top
        if top is not None and top.loop is loop and top.instance == instance:  # the everyday case, kept short
            top.number = iteration
            self.standing.counts[loop.id] += 1
            if time.perf_counter() < self._quiet and (self.watch is None or self.watch.flags == self._flags):
                self._before = (self._prefix, loop, iteration)
                return False
        else:
            own = self.standing.begin(sys._getframe(2), loop, instance, iteration)
            self._top = self.standing.open[-1] if own else None
            if not own:
                return self.sampler is not None and self.sampler.recording
            if self.first is not None:
                self.first(state(sys._getframe(2)))
                self.first = None
            counted = self.standing.counted
            if self.loop is None or not _around(counted, self.loop):
                self.loop = counted
            self._prefix = self.standing.position[:-1]  # type: ignore[index]
        if self.watch is not None and self.watch.flags != self._flags:
            self._settle(sys._getframe(2))
            self._flags = self.watch.flags if self.watch.followed is None else -1
        now = time.perf_counter()
        if now >= self._next or self.every or self.steps <= 1:
            self._check(sys._getframe(2), now)
        self._before = (self._prefix, loop, iteration)
        self._quiet = 0.0
        if now > self._end:
            self._stop("time")
        if self.most_steps is not None and self.steps >= self.most_steps:
            self._stop("steps")
        due = min(self._next, self._end)
        if self.sampler is not None:
            self.sampler.read(now, tape)
            if self.sampler.wants(now, self.steps, tape):
                return True
            due = min(due, self.sampler.at)
        if self.most_steps is None and not self.every and self.steps > 1:
            self._quiet = due
        return False

    @property
    def steps(self) -> int:
        """The iterations of the training loop so far, less one."""
        return -1 if self.loop is None else self.standing.counts.get(self.loop.id, 1) - 1

    @property
    def completed(self) -> int:
        """The iterations that ran to their end, where it was not the script that ended early."""
        return max(self.steps, 0) if self.why else self.steps + 1

    def end(self, loop: Site, instance: int, iteration: int, tape: Tape) -> None:
        frame = sys._getframe(2)
        own = bool(self.standing.open) and self.standing.open[0].frame == id(frame)
        if own and not self.why:
            self._settle(frame)
        self._top = None
        if self.standing.end(loop, instance):
            self._check(frame, time.perf_counter())

    def _settle(self, frame: FrameType) -> None:
        """Ends the run where a birth of the step before has reached something that matters."""
        if self.watch is None:
            return
        born = self.watch.followed or self.watch.alarm
        if born is not None and born.position is not None and len(self.standing.own) >= len(born.position):
            return  # a loop within the step: the step is not over
        if born is not None and born.position not in self.digests:
            self.digests[born.position] = digest(state(frame))
        self.watch.settle()
        if self.watch.alarm is not None:
            self._stop("alarm")

    def _check(self, frame: FrameType, now: float) -> None:
        found = state(frame)
        self.bad = self.values.look(found)
        if self.bad:
            if self._before is not None:
                prefix, loop, number = self._before
                self.bad_at = (*prefix, (loop.span, number))
            self._stop("values")
        self.last_good = self.standing.position
        for name, value in found.items():
            if np.size(value) == 1 and looks_like_loss(name):
                self.losses.append((self.steps, name, float(np.real(np.reshape(value, ())))))
        if not self.sizes:
            self.sizes.append((self.steps, sizes_of(found, self.names)))
        if self.progress is not None:
            self.progress(self.steps)
        after = time.perf_counter()
        self._next = after + (after - now) / _SHARE

    def _stop(self, why: str) -> None:
        self.why = why
        raise Stop


@dataclass
class Recording:
    """The second run: the one step at `position` is recorded, then the run ends."""

    position: Position
    standing: Standing = field(default_factory=Standing)
    start_state: dict[str, Any] = field(default_factory=dict)
    end_digest: str = ""
    step: int = -1
    reached: bool = False
    _inside: bool = False

    def begin(self, loop: Site, instance: int, iteration: int, tape: Tape) -> bool:
        frame = sys._getframe(2)
        own = self.standing.begin(frame, loop, instance, iteration)
        if not own:
            return self._inside
        if self._inside:
            if len(self.standing.own) < len(self.position):
                self._finish(frame)
            return True
        if self.standing.position == self.position:
            self._inside = self.reached = True
            self.step = self.standing.step
            self.start_state = {k: np.array(v) for k, v in state(frame).items()}
            return True
        return False

    def end(self, loop: Site, instance: int, iteration: int, tape: Tape) -> None:
        frame = sys._getframe(2)
        own = bool(self.standing.open) and self.standing.open[0].frame == id(frame)
        depth = len(self.standing.own) if self.standing.open else 0
        self.standing.end(loop, instance)
        if self._inside and own and depth == len(self.position) - 1:
            self._finish(frame)

    def _finish(self, frame: FrameType) -> None:
        self.end_digest = digest(state(frame))
        raise Stop


@dataclass
class Ends:
    """A second run for the forecast: the iterations with the numbers in `wanted` are recorded one by one, and read."""

    wanted: tuple[int, ...]
    standing: Standing = field(default_factory=Standing)
    sampler: Sampler = field(default_factory=lambda: Sampler(0.0, 0.0))

    def begin(self, loop: Site, instance: int, iteration: int, tape: Tape) -> bool:
        if not self.standing.begin(sys._getframe(2), loop, instance, iteration):
            return self.sampler.recording
        self.sampler.read(0.0, tape)
        if self.standing.step > self.wanted[-1]:
            raise Stop
        return self.standing.step in self.wanted and self.sampler.wants(0.0, self.standing.step, tape)

    def end(self, loop: Site, instance: int, iteration: int, tape: Tape) -> None:
        if self.standing.end(loop, instance):
            self.sampler.read(0.0, tape)
