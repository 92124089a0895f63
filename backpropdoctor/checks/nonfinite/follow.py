"""Follow a newborn non-finite value through the running program, line by line, until it reaches a parameter or dies out.

Tracing is switched on only now, at the birth, and off again as soon as that is decided.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import numpy as np

from .birth import Birth, Link
from .look import look
from .peek import Peek, spelled
from .place import is_user_file, source_of, span, statement_of, statement_on
from .stack import looks_like_loss
from .values import badness, is_finite

_MOST_EVENTS = 50_000  # lines traced for one birth before the question is left open
_AFTER_REACHING = 2_000  # lines traced after the first parameter was reached, where the birth does not come round again

Done = Callable[["Follower"], None]


class Follower:
    """Traces the thread from a birth on. `done` is called once, when the birth statement comes round again or at `stop()`."""

    def __init__(self, birth: Birth, frame: FrameType, done: Done) -> None:
        self.birth = birth
        self.done = done
        self.finished = False
        self._home: tuple[CodeType, int] = (frame.f_code, frame.f_lineno)
        self._events = 0
        self._reached_at = 0
        self._pending: dict[FrameType, ast.stmt | None] = {}
        self._kept: list[tuple[Link, Any]] = []
        self._before = sys.gettrace()
        self._frames: list[tuple[FrameType, Any]] = []
        self._start(frame)

    def _start(self, frame: FrameType) -> None:
        found: FrameType | None = frame
        while found is not None:
            if is_user_file(found.f_code.co_filename):
                self._frames.append((found, found.f_trace))
                self._pending[found] = self._statement(found)
                found.f_trace = self._local
            found = found.f_back
        sys.settrace(self._call)

    def stop(self) -> None:
        """Switch tracing off and settle the question with what was seen."""
        if self.finished:
            return
        self.finished = True
        sys.settrace(self._before)
        for frame, trace in self._frames:
            frame.f_trace = trace
        for frame in list(self._pending):
            self._look_back(frame)
        self._settle()
        self._pending.clear()
        self.done(self)

    def arrived(self) -> bool:
        """Whether something that lasts is non-finite, looking also at the statements that are just over."""
        for frame in list(self._pending):
            self._look_back(frame)
        return any(link.role == "loss" or not is_finite(value) for link, value in self._kept if link.role != "passes")

    def flag(self, frame: FrameType, flag: str) -> None:
        """A flag while following: an infinity that turns into NaN is a link of the chain."""
        seen = look(frame, flag)
        if seen is None:
            return
        place = span(seen.source, seen.node)
        if place == self.birth.span:
            return
        value = "nan" if flag == "invalid value" else "inf"
        if not seen.cause.fresh and not any(k.role == "becomes" and k.span == place for k in self.birth.chain):
            statement = statement_of(seen.source, seen.node)
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            name = (spelled(targets[0], seen.peek) if targets else None) or ""
            self.birth.chain.append(Link(place, name, "becomes", value, seen.cause.text))

    def _statement(self, frame: FrameType) -> ast.stmt | None:
        source = source_of(frame.f_code.co_filename)
        return None if source is None else statement_on(source, frame.f_lineno)

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not is_user_file(frame.f_code.co_filename) or self.finished:
            return None
        self._pending[frame] = None
        return self._local

    def _local(self, frame: FrameType, event: str, argument: Any) -> Any:
        if self.finished:
            return None
        self._events += 1
        if event in ("line", "return"):
            self._look_back(frame)
            self._pending[frame] = self._statement(frame) if event == "line" else None
            if event == "return":
                self._pending.pop(frame, None)
            if not self._reached_at and self.birth.reached:
                self._reached_at = self._events
            enough = self._events > (self._reached_at + _AFTER_REACHING if self._reached_at else _MOST_EVENTS)
            if enough or (event == "line" and (frame.f_code, frame.f_lineno) == self._home):
                self.stop()
                return None
        return self._local

    def _look_back(self, frame: FrameType) -> None:
        """The statement that `frame` just finished: which of the names it set are non-finite now."""
        statement = self._pending.get(frame)
        source = source_of(frame.f_code.co_filename)
        if statement is None or source is None:
            return
        peek = Peek(dict(frame.f_locals), frame.f_globals)
        for target, is_update in _targets(statement):
            value = peek.maybe(target)
            bad = badness(value)
            name = spelled(target, peek)
            if bad is None or name is None:
                continue
            role = "passes"
            if looks_like_loss(name) and np.ndim(value) == 0:
                role = "loss"
            elif is_update:
                role = "parameter"
            if not any(k.name == name and k.role == role for k in self.birth.chain):
                link = Link(span(source, statement), name, role, bad)  # type: ignore[arg-type]
                self.birth.chain.append(link)
                self._kept.append((link, value))

    def _settle(self) -> None:
        """A parameter that is finite again by now (a sum that is begun anew each step) was none."""
        for link, value in self._kept:
            if link.role == "parameter" and is_finite(value):
                self.birth.chain.remove(link)


def _targets(statement: ast.stmt) -> list[tuple[ast.expr, bool]]:
    """What a statement sets, and whether it sets it from its own old value."""
    if isinstance(statement, ast.AugAssign):
        return [(statement.target, True)]
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        return [(statement.target, _reads(statement.value, statement.target))]
    if isinstance(statement, ast.Assign):
        found: list[tuple[ast.expr, bool]] = []
        for target in statement.targets:
            for item in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
                found.append((item, _reads(statement.value, item)))
        return found
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        out = [k.value for k in call.keywords if k.arg == "out"]
        out += [call.args[2]] if len(call.args) == 3 and isinstance(call.func, ast.Attribute) else []
        return [(item, any(_reads(a, item) for a in call.args)) for item in out]
    return []


def _reads(value: ast.expr, target: ast.expr) -> bool:
    text = ast.unparse(target)
    return any(isinstance(n, (ast.Name, ast.Attribute, ast.Subscript)) and ast.unparse(n) == text for n in ast.walk(value))
