"""The watched code a second time, from a copy of the state in which it began, with the step of a birth recorded.

For what no flag announces. The functions it calls run recorded too: their code objects are exchanged while it lasts.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import CodeType, FrameType, FunctionType
from typing import Any

import numpy as np

from ...tape.run import MAX_BYTES, MAX_NODES, RunResult, Session, Stop
from ...tape.run_modules import read_program
from .birth import Birth
from .changes import update_names
from .copying import copies
from .locate import Trace
from .place import is_user_file, source_of
from .rounds import Recording, Watching
from .silent import silence

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


@dataclass
class Snapshot:
    """The state at the start: the names the code sees, copied, and the random generators."""

    path: str
    globals_: dict[str, Any]
    copies: dict[str, Any]
    locals_: dict[str, Any] | None
    text: str
    call: Call | None
    randomness: tuple[Any, Any] = field(default_factory=lambda: (random.getstate(), np.random.get_state()))

    @classmethod
    def of_block(cls, frame: FrameType) -> Snapshot | None:
        """Of the `with` statement that `frame` is entering; None where it cannot be repeated."""
        text = block_text(frame)
        if text is None:
            return None
        memo: dict[int, Any] = {}
        inside = frame.f_locals is not frame.f_globals
        locals_ = copies(frame.f_locals, memo) if inside else None
        return cls(frame.f_code.co_filename, frame.f_globals, copies(frame.f_globals, memo), locals_, text, None)

    @classmethod
    def of_call(cls, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Snapshot | None:
        """Of a call of a user's function."""
        code = getattr(function, "__code__", None)
        if code is None or not is_user_file(code.co_filename):
            return None
        memo: dict[int, Any] = {}
        named = copies({"args": args, "kwargs": kwargs}, memo)
        globals_ = function.__globals__  # type: ignore[attr-defined]
        call = (function, named["args"], named["kwargs"])
        return cls(code.co_filename, globals_, copies(globals_, memo), None, "", call)

    def fresh(self) -> Snapshot:
        """A copy to run on, so that this one can be used again."""
        memo: dict[int, Any] = {}
        locals_ = None if self.locals_ is None else copies(self.locals_, memo)
        call = self.call
        if call is not None:
            again = copies({"args": call[1], "kwargs": call[2]}, memo)
            call = (call[0], again["args"], again["kwargs"])
        made = Snapshot(self.path, self.globals_, copies(self.copies, memo), locals_, self.text, call)
        made.randomness = self.randomness
        return made


def block_text(frame: FrameType) -> str | None:
    """The file with everything but the body of the `with` statement blanked out, lines and columns kept."""
    source = source_of(frame.f_code.co_filename)
    if source is None:
        return None
    for node in source.statements:
        if not isinstance(node, ast.With) or not node.lineno <= frame.f_lineno < node.body[0].lineno:
            continue
        inner = [n for statement in node.body for n in ast.walk(statement)]
        if any(isinstance(n, (ast.Return, ast.Yield, ast.YieldFrom, ast.Await, ast.Nonlocal)) for n in inner):
            return None
        first, last = node.body[0].lineno, node.end_lineno or node.lineno
        lines = ["" if n < first else line for n, line in enumerate(source.lines[:last], 1)]
        lines[first - 2] = "if 1:"
        return "\n".join(lines) + "\n"
    return None


def births_of(snapshot: Snapshot, seconds: float) -> list[Birth]:
    """The births that reached the loss or a parameter in a second run; nothing where none came."""
    trace, recording = trace_of(snapshot, seconds)
    births = [b for b in trace.all_births() if b.reached] if trace is not None else []
    for birth in births:
        if recording is not None:
            birth.step = recording.step
            birth.replay = "identical"
    return births


def trace_of(snapshot: Snapshot, seconds: float) -> tuple[Trace | None, Recording | None]:
    """The record of the step in which a second run turns non-finite, and where it stood; of all of it where it has no loop."""
    names = update_names(snapshot.path)
    looking = Watching(None, names, time.perf_counter() + seconds, every=True)
    run = _run(snapshot.fresh(), looking)
    if run.whole:
        return Trace(run.tape), None
    position = looking.bad_at if looking.why == "values" else None
    if position is None:
        return None, None
    recording = Recording(position)
    run = _run(snapshot.fresh(), recording)
    return (Trace(run.tape), recording) if recording.reached else (None, None)


def _run(state: Snapshot, policy: Any) -> RunResult:
    root = os.path.dirname(os.path.abspath(state.path))
    session = Session(policy, read_program(state.path, root), max_nodes=MAX_NODES, max_bytes=MAX_BYTES)
    session.recorder.user_modules.add(str(state.globals_.get("__name__")))
    result = session.result
    result.whole = not session.program.updates
    code = session.compile(state.text, state.path, record_module=result.whole).code if state.call is None else None
    after = (random.getstate(), np.random.get_state())
    random.setstate(state.randomness[0])
    np.random.set_state(state.randomness[1])
    saved = dict(state.globals_)
    trace = sys.gettrace()
    try:
        with silence(), np.errstate(all="ignore"), _exchanged(session, root):
            state.globals_.update(state.copies)
            if result.whole:
                session.recorder.start()
            try:
                if state.call is not None:
                    state.call[0](*state.call[1], **state.call[2])
                elif code is not None:
                    exec(code, state.globals_ if state.locals_ is None else {**state.globals_, **state.locals_})
            except Stop:
                result.stopped = True
            except Exception as error:  # the user's own, as in the first run
                result.exception = error
            finally:
                session.recorder.close()
    finally:
        sys.settrace(trace)
        state.globals_.clear()
        state.globals_.update(saved)
        random.setstate(after[0])
        np.random.set_state(after[1])
    return result


@contextlib.contextmanager
def _exchanged(session: Session, root: str) -> Iterator[None]:
    """The functions of the user's files with recorded code objects, for as long as the run lasts."""
    functions = [f for f in gc.get_objects() if type(f) is FunctionType and _of_user(f, root)]
    made: dict[tuple[str, str, int], CodeType] = {}
    for path in {f.__code__.co_filename for f in functions}:
        source = source_of(path)
        if source is not None:
            code = session.compile("\n".join(source.lines) + "\n", path).code
            made.update({(path, c.co_qualname, c.co_firstlineno): c for c in _nested(code)})
    changed: list[tuple[FunctionType, CodeType]] = []
    try:
        for function in functions:
            old = function.__code__
            new = made.get((old.co_filename, old.co_qualname, old.co_firstlineno))
            if new is not None and new.co_freevars == old.co_freevars:
                changed.append((function, old))
                function.__code__ = new
        yield
    finally:
        for function, old in changed:
            function.__code__ = old


def _of_user(function: FunctionType, root: str) -> bool:
    path = function.__code__.co_filename
    return is_user_file(path) and (os.path.dirname(os.path.abspath(path)) == root)


def _nested(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _nested(constant)
