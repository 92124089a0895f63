"""The cheap watch around any code for NaN and infinity, through NumPy's floating-point error state.

While nothing happens it costs nothing. A flag is confirmed against the values of its operands; then the value is followed
(follow.py) until it reaches the loss or a parameter, or is overwritten: only the former is a finding above a note.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable
from types import CodeType, FrameType, TracebackType
from typing import Any, TypeVar

import numpy as np

from ...errors import BackpropDoctorError
from ...finding import Finding
from ...source import Span
from .birth import Birth, Link, finding_of
from .changes import update_names
from .classify import Cause
from .copying import CannotRerun
from .follow import Follower
from .look import birth_of, look, operation_at
from .place import user_frame
from .reproduce import parameters_of, reproduced
from .rerun import Snapshot, births_of, trace_of
from .stack import forget_locals, looks_like_loss, named_arrays
from .values import badness, leaves

_F = TypeVar("_F", bound=Callable[..., Any])
_KINDS = {"divide by zero": "divide", "overflow": "over", "invalid value": "invalid", "underflow": "under"}
_FOLLOWED = 2  # a place that proved harmless this often is followed only at its 4th, 8th, 16th … flag


class NonFiniteError(BackpropDoctorError, ArithmeticError):
    """A non-finite value reached the loss or a parameter (only raised on request). `finding` says where it was born."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class _Place:
    """What is known of one instruction that raised a flag."""

    __slots__ = ("count", "harmless", "last")

    def __init__(self) -> None:
        self.count = 0
        self.harmless = 0
        self.last: Birth | None = None


class NonfiniteWatch:
    """Context manager and decorator that says nothing by itself; see `trace_nonfinite` for what it is told."""

    def __init__(
        self,
        *,
        raises: bool = False,
        replay: bool = True,
        on_finding: Callable[[Finding], None] | None = None,
        reproduce: str | os.PathLike[str] | None = None,
    ) -> None:
        self.raises = raises
        self.replay = replay
        self.on_finding = on_finding
        self.reproduce = reproduce
        self.reproducer = ""  # a sentence about the script that repeats the step, once there is something to say
        self.last_good: dict[str, Any] = {}
        self.births: list[Birth] = []
        self.flags = 0
        self._places: dict[tuple[CodeType, int], _Place] = {}
        self._follower: Follower | None = None
        self._alarm: Birth | None = None
        self._warned: set[tuple[CodeType, int, str]] = set()
        self._error: NonFiniteError | None = None
        self._raised = False
        self._busy = False
        self._outermost: FrameType | None = None
        self._call: tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]] | None = None
        self._result: Any = None
        self._snapshot: Snapshot | None = None
        self._no_replay = ""
        self._main = 0
        self.position: Callable[[], Any] = lambda: None  # set by who counts the iterations

    # -- entering and leaving ---------------------------------------------------------------------------------------

    def __enter__(self) -> NonfiniteWatch:
        self._outermost = user_frame(sys._getframe(1))
        self._take_snapshot()
        self._began = time.perf_counter()
        self._main = threading.get_ident()
        self._before = np.geterr()
        self._call_before = np.geterrcall()
        self._state = np.errstate(divide="call", over="call", invalid="call", call=self._handle)
        self._state.__enter__()
        self._thread_trace = threading.gettrace()
        threading.settrace(self._arm_thread)
        self._before_names = {name: (id(v), badness(v)) for name, v in self._named()}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._follower is not None:
            self._follower.stop()
        threading.settrace(self._thread_trace)  # type: ignore[arg-type]
        self._state.__exit__(kind, error, trace)
        self._last_look()
        self._outermost = None
        if self.reproduce is not None and self._alarm is not None:
            self._write_reproducer(self.reproduce)
        if kind is None and self.raises and self._alarm is not None and not self._raised:
            raise self._error or NonFiniteError(finding_of(self._alarm))

    def __call__(self, function: _F) -> _F:
        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self._call = (function, args, kwargs)
            with self:
                self._result = function(*args, **kwargs)
            return self._result

        return watched  # type: ignore[return-value]

    # -- results ----------------------------------------------------------------------------------------------------

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every birth, the one that reached the loss or a parameter first; the contained ones are notes."""
        births = {(b.span, bool(b.reached)): b for b in reversed(self.births)}
        in_order = list(births.values())[::-1]
        return tuple(finding_of(b) for b in sorted(in_order, key=lambda b: not b.reached))

    @property
    def followed(self) -> Birth | None:
        """The birth that is being followed just now."""
        return None if self._follower is None else self._follower.birth

    def settle(self) -> None:
        """The step is over: a birth that has reached the loss or a parameter by now need not be followed further."""
        if self._follower is not None and self._follower.arrived():
            self._follower.stop()

    @property
    def alarm(self) -> Birth | None:
        """The birth that reached the loss or a parameter."""
        return self._alarm

    @property
    def ok(self) -> bool:
        """True where nothing non-finite reached the loss or a parameter."""
        return self._alarm is None

    # -- the handler ------------------------------------------------------------------------------------------------

    def _handle(self, flag: str, bits: int) -> None:
        if self._busy:
            return
        inner = sys._getframe(1)
        self._busy = True
        try:
            self.flags += 1
            if self._alarm is None:
                with np.errstate(all="ignore"):
                    self._consider(user_frame(inner), flag)
        finally:
            self._busy = False
        self._as_before(inner, flag, bits)
        if self._error is not None and self.raises:
            self._raised = True
            raise self._error

    def _consider(self, frame: FrameType | None, flag: str) -> None:
        if frame is None:
            return
        if self._follower is not None:
            if threading.get_ident() == self._main:
                self._follower.flag(frame, flag)
            return
        place = self._places.setdefault((frame.f_code, frame.f_lasti), _Place())
        place.count += 1
        if place.harmless >= _FOLLOWED and place.count & (place.count - 1):
            return
        seen = look(frame, flag)
        if seen is None or not seen.cause.fresh:
            place.harmless += 1
            return
        birth = birth_of(seen, frame, self._outermost)
        birth.position = self.position()
        birth.in_worker = threading.get_ident() != self._main
        if place.last is None:
            self.births.append(birth)
        place.last = birth
        if threading.get_ident() == self._main:
            self._follower = Follower(birth, frame, functools.partial(self._settled, place))

    def _settled(self, place: _Place, follower: Follower) -> None:
        self._follower = None
        birth = follower.birth
        if birth.reached:
            if birth not in self.births:
                self.births.append(birth)
            self._sound(birth)
        else:
            place.harmless += 1

    def _sound(self, birth: Birth) -> None:
        self._alarm = birth
        finding = finding_of(birth)
        if self.on_finding is not None:
            self.on_finding(finding)
        if self.raises:
            self._error = NonFiniteError(finding)

    def _as_before(self, frame: FrameType, flag: str, bits: int) -> None:
        """What NumPy would have done without the watch: a warning, an exception, the user's own call."""
        mode = self._before[_KINDS[flag]]  # type: ignore[literal-required]
        if mode == "raise":
            raise FloatingPointError(f"{flag} encountered in {operation_at(frame)}")
        key = (frame.f_code, frame.f_lasti, flag)
        if mode == "warn" and key not in self._warned:
            registry = frame.f_globals.setdefault("__warningregistry__", {})
            text = f"{flag} encountered in {operation_at(frame)}"
            warnings.warn_explicit(text, RuntimeWarning, frame.f_code.co_filename, frame.f_lineno, registry=registry)
            self._warned.add(key)
        elif mode == "call" and callable(self._call_before):
            self._call_before(flag, bits)

    def _arm_thread(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Runs at the start of each new thread: NumPy's error state belongs to a thread."""
        np.seterr(divide="call", over="call", invalid="call")
        np.seterrcall(self._handle)
        sys.settrace(self._thread_trace)
        return None

    # -- what no flag told --------------------------------------------------------------------------------------------

    def _take_snapshot(self) -> None:
        if not self.replay:
            return
        try:
            if self._call is not None:
                self._snapshot = Snapshot.of_call(*self._call)
            elif self._outermost is not None:
                self._snapshot = Snapshot.of_block(self._outermost)
        except CannotRerun as reason:
            self._no_replay = str(reason)

    def _named(self) -> list[tuple[str, Any]]:
        if self._call is not None:
            function, args, kwargs = self._call
            names = list(getattr(getattr(function, "__code__", None), "co_varnames", ()))
            given = {**dict(zip(names, args, strict=False)), **kwargs, "the result": self._result}
            return [found for name, value in given.items() for found in leaves(value, name)]
        if self._outermost is None:
            return []
        found = list(named_arrays([self._outermost]))
        forget_locals(self._outermost)
        return found

    def _last_look(self) -> None:
        """At the end: a value that no flag announced (einsum, NaN in the data, a worker thread) is still seen."""
        if self._alarm is not None:
            return
        bad = [(name, value) for name, value in self._named() if badness(value) and self._matters(name, value)]
        if not bad:
            return
        self._outermost = None
        births: list[Birth] = []
        if self._snapshot is not None:
            births = births_of(self._snapshot, self._patience())
        birth = births[0] if births else self._unlocated(bad)
        elsewhere = [b for b in self.births if b.in_worker]
        if elsewhere and birth.cause.kind in ("data", "literal", "unknown"):
            elsewhere[0].chain, elsewhere[0].step = birth.chain, birth.step
            birth = elsewhere[0]
        if birth not in self.births:
            self.births.append(birth)
        self._sound(birth)

    def _patience(self) -> float:
        """Seconds that a second run may take."""
        return 3 * (time.perf_counter() - self._began) + 5

    def _write_reproducer(self, folder: str | os.PathLike[str]) -> None:
        assert self._alarm is not None
        trace, recording = trace_of(self._snapshot, self._patience()) if self._snapshot is not None else (None, None)
        births = [b for b in trace.all_births() if b.reached] if trace is not None else []
        if recording is not None:
            self.last_good = parameters_of(recording.start_state, update_names(self._snapshot.path))  # type: ignore[union-attr]
        self.reproducer = reproduced(births[0] if births else self._alarm, folder, self.last_good, trace)[1]

    def _matters(self, name: str, value: Any) -> bool:
        """Whether a non-finite value at the end is a parameter or a loss: changed in place, named in an update, or a loss."""
        before = self._before_names.get(name)
        if before is not None and before[1] is not None:
            return False
        if before is not None and before[0] == id(value) and isinstance(value, np.ndarray):
            return True
        path = self._outermost.f_code.co_filename if self._outermost is not None else None
        if self._call is not None:
            path = getattr(getattr(self._call[0], "__code__", None), "co_filename", None)
        parts = set(name.replace("[", ".").replace("]", "").replace("'", "").split("."))
        return looks_like_loss(name) and np.ndim(value) == 0 or bool(path and parts & update_names(path))

    def _unlocated(self, bad: list[tuple[str, Any]]) -> Birth:
        cause = Cause("unknown", "non-finite, born out of sight", None, (), True)
        links = [Link(Span("", 0, 1, 0, 1), name, "parameter", badness(value) or "") for name, value in bad]
        note = f"it was not run a second time: {self._no_replay}" if self._no_replay else ""
        return Birth(span=None, expression=bad[0][0], cause=cause, chain=links, how_found="values", note=note)
