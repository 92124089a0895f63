"""Run a script once more, recorded as before, and keep what the blamed statements see each time they run."""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

from ...load.conventions import is_loss_name
from ...tape.run import Stop
from ...tape.tape import Site, Tape
from ..blame_together import changes_nothing
from .rerun import Program
from .world import Freezer, Frozen
from .written import crowded, is_body, paths_of, targets

_INNER = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})
_MOST_MOMENTS = 600  # runs of one statement that are kept
_MOST_FROZEN = 200_000  # values that are kept for all runs of one statement
_MOST_ELEMENTS = 64  # of a list that a statement makes
_MOST_IDLE = 2000  # looks at statements that were not recorded after all


@dataclass(frozen=True, slots=True)
class Place:
    """A statement of the user's, by its file and position."""

    path: str
    line: int
    column: int
    end_line: int
    part: tuple[int, int, int] | None = None  # where an expression in it stands, if that is meant

    @classmethod
    def of(cls, site: Site) -> Place:
        return cls.at(site.span.path, site.statement)

    @classmethod
    def at(cls, path: str, statement: ast.stmt) -> Place:
        """The place of a statement in a file."""
        return cls(path, statement.lineno, statement.col_offset, statement.end_lineno or statement.lineno)


@dataclass(slots=True)
class Moment:
    """One run of a statement: what it saw, and the values that it made (`outs`: how to read each, and its node)."""

    at: int
    locals: dict[str, Frozen]
    globals: dict[str, Frozen]
    namespace: dict[str, Any]  # the live globals, for functions and modules
    outs: list[tuple[str, int]] = field(default_factory=list)
    until: int = 0
    function: str = ""
    scope: int = -1  # the call that the statement ran in


@dataclass(slots=True)
class _Open:
    watched: _Watched
    moment: Moment
    before: dict[str, int | None]


@dataclass(slots=True)
class _Watched:
    """A statement that is looked out for, and how many values are kept for all its runs."""

    place: Place
    statement: ast.stmt
    moments: list[Moment]
    paths: dict[str, CodeType]
    written: set[str]
    frozen: int = 0

    @property
    def is_full(self) -> bool:
        return len(self.moments) >= _MOST_MOMENTS or self.frozen >= _MOST_FROZEN


class Playback:
    """The policy that records exactly what an earlier run recorded."""

    is_loss_name = staticmethod(is_loss_name)

    def __init__(self, tape: Tape) -> None:
        self.wanted = {(i.site.id, i.instance, i.number) for i in tape.iterations}
        self.last = len(tape.nodes)

    def begin(self, loop: Site, instance: int, iteration: int, tape: Tape) -> bool:
        """Record this iteration if the earlier run did; stop where it had all it needed."""
        wanted = (loop.id, instance, iteration) in self.wanted
        if not wanted and len(tape.nodes) >= self.last:
            raise Stop
        return wanted

    def end(self, loop: Site, instance: int, iteration: int, tape: Tape) -> None:
        """Stop at the end of the last recorded loop."""


class Capture:
    """The captured runs of some statements. `tape` is the record of the second run."""

    def __init__(self, statements: dict[Place, ast.stmt]) -> None:
        self.statements = statements
        self.moments: dict[Place, list[Moment]] = {p: [] for p in statements}
        self._by_file: dict[str, list[_Watched]] = {}
        for place, statement in statements.items():
            watched = _Watched(place, statement, self.moments[place], paths_of(statement), targets(statement))
            self._by_file.setdefault(place.path, []).append(watched)
        self._codes: dict[int, tuple[CodeType, list[_Watched]]] = {}  # by identity: a code's hash takes in all it holds
        self._crowded = {path: crowded(path) for path in self._by_file}
        self._positions: dict[int, list[Any]] = {}  # of the code that has several statements on a line
        self._open: dict[int, list[_Open]] = {}  # of each activation, a loop before the statements inside it
        self._idle = 0
        self.recorder: Any = None
        self.freezer: Freezer | None = None
        self.tape: Tape | None = None

    # --- the run ------------------------------------------------------------------------------------------------------

    def run(self, program: Program, earlier: Tape, texts: Mapping[str, str] | None = None) -> Tape:
        """Run the program as it was run before, with edited `texts` if it was, as far as the `earlier` record goes."""
        self.tape = program.again(Playback(earlier), texts=texts, watched=self._watching).tape
        return self.tape

    @contextlib.contextmanager
    def _watching(self, recorder: Any) -> Iterator[None]:
        self.recorder = recorder
        self.freezer = Freezer(recorder.ids, recorder.user_modules)
        self._resolve_at_pause()
        outer = sys.gettrace()
        sys.settrace(self._call)
        try:
            yield
        finally:
            sys.settrace(outer)

    def _resolve_at_pause(self) -> None:
        pause, freezer = self.recorder.pause, self.freezer

        def resolved() -> None:
            if self.recorder.on and freezer is not None:
                freezer.resolve()
            pause()

        self.recorder.pause = resolved

    # --- tracing ------------------------------------------------------------------------------------------------------

    def _call(self, frame: FrameType, event: str, arg: Any) -> Any:
        places = self._by_file.get(frame.f_code.co_filename)
        if not places or frame.f_code.co_name in _INNER:
            return None
        code = frame.f_code
        if id(code) not in self._codes:
            lines = {line for _, _, line in code.co_lines() if line}
            inside = [w for w in places if any(w.place.line <= n <= w.place.end_line for n in lines)]
            inside = [w for w in inside if is_body(w.statement) == (code.co_name == "<lambda>")]
            self._codes[id(code)] = code, sorted(inside, key=lambda w: (w.place.line, -w.place.end_line))
            if any(w.place.line in self._crowded.get(w.place.path, ()) for w in inside):
                self._positions[id(code)] = list(code.co_positions())
        frame.f_trace_opcodes = id(code) in self._positions
        return self._line if self._codes[id(code)][1] else None

    def _line(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "line" and id(frame.f_code) not in self._positions:
            line = frame.f_lineno
            self._close(frame, lambda w: not w.place.line <= line <= w.place.end_line)
            self._begin(frame, [w for w in self._codes[id(frame.f_code)][1] if w.place.line <= line <= w.place.end_line])
        elif event == "opcode":
            self._step(frame)
        elif event == "return":
            self._close(frame, lambda w: True, arg)
        elif event == "exception":
            self._open.pop(id(frame), None)
        return self._line

    def _step(self, frame: FrameType) -> None:
        """One instruction of code that has several statements on a line: its columns tell which one it belongs to."""
        line, _, column, _ = self._positions[id(frame.f_code)][frame.f_lasti // 2]
        if line is None or column is None:
            return

        def holds(watched: _Watched) -> bool:
            s = watched.statement
            end = (s.end_lineno or s.lineno, s.end_col_offset or 0)
            return (s.lineno, s.col_offset) <= (line, column) < end

        self._close(frame, lambda w: not holds(w))
        self._begin(frame, [w for w in self._codes[id(frame.f_code)][1] if holds(w)])

    def _close(self, frame: FrameType, ended: Callable[[_Watched], bool], returned: Any = None) -> None:
        """Finish the statements that have ended, those inside others first."""
        opened = self._open.get(id(frame), [])
        while opened and ended(opened[-1].watched):
            self._finish(frame, opened.pop(), returned)

    def _begin(self, frame: FrameType, running: list[_Watched]) -> None:
        """Open the statements that run now, the outer ones first."""
        for watched in running:
            opened = self._open.setdefault(id(frame), [])
            if watched.is_full or any(o.watched is watched for o in opened):
                continue
            if opened and not _within(watched.place, opened[-1].watched.place):
                continue  # another one on the same line
            if not self.recorder.on:  # the first statement of an iteration that is going to be recorded, perhaps
                self._idle += 1
                if self._idle > _MOST_IDLE:
                    return
            opened.append(self._opened(frame, watched))

    def _opened(self, frame: FrameType, watched: _Watched) -> _Open:
        assert self.freezer is not None
        locals_ = frame.f_locals if frame.f_locals is not frame.f_globals else {}
        if locals_ and frame.f_code.co_name == "<module>":
            locals_ = {}
        memo: dict[int, Frozen] = {}
        before = self.freezer.count
        moment = Moment(
            len(self.recorder.tape.nodes),
            self.freezer.names(locals_, memo),
            self.freezer.names(frame.f_globals, memo),
            frame.f_globals,
            function=frame.f_code.co_qualname,
        )
        watched.frozen += self.freezer.count - before
        return _Open(watched, moment, self._nodes_of(frame, watched))

    def _nodes_of(self, frame: FrameType, watched: _Watched) -> dict[str, int | None]:
        """The nodes of what the statement names; of the lists that it makes, those of the elements."""
        found: dict[str, int | None] = {}
        for text, code in watched.paths.items():
            try:
                value = eval(code, frame.f_globals, frame.f_locals)
            except Exception:
                found[text] = None
                continue
            found[text] = self.recorder.ids.get(id(value))
            if text in watched.written or text.endswith("[-1]"):
                found.update(self._elements(text, value))
        return found

    def _elements(self, text: str, value: Any, depth: int = 0) -> dict[str, int]:
        """The recorded elements of a container, by how each is read."""
        ids: dict[int, int] = self.recorder.ids
        found: dict[str, int] = {}
        if isinstance(value, (list, tuple, dict)) and len(value) <= _MOST_ELEMENTS and depth < 3:
            for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                if id(item) in ids:
                    found[f"{text}[{key!r}]"] = ids[id(item)]
                else:
                    found.update(self._elements(f"{text}[{key!r}]", item, depth + 1))
        return found

    def _finish(self, frame: FrameType, open_: _Open, returned: Any) -> None:
        if not self.recorder.on:
            return
        moment, ids, watched = open_.moment, self.recorder.ids, open_.watched
        idle = changes_nothing(watched.statement)
        nodes = self._nodes_of(frame, watched)
        read = {node for text, node in nodes.items() if text not in watched.written}
        for text, node in nodes.items():
            if node is None:
                continue
            if self.recorder.tape.nodes[node].kind == "leaf" and not idle and (node < moment.at or node in read):
                continue  # read here for the first time, and not made: `x = np.zeros(3)`
            if node != open_.before.get(text) or text in watched.written:
                moment.outs.append((text, node))
        if isinstance(watched.statement, ast.Return):
            if id(returned) in ids:
                moment.outs.append(("__returned__", ids[id(returned)]))
            else:
                moment.outs += self._elements("__returned__", returned).items()
        moment.until = len(self.recorder.tape.nodes)
        activation = self.recorder.activations.get(id(frame))
        if activation is not None and activation.code is frame.f_code:
            moment.scope = activation.scope
        same = moment.until == moment.at and all(node == open_.before.get(text) for text, node in moment.outs)
        if same and not idle:
            return  # a look at its line, on the way into or out of it
        watched.moments.append(moment)


def _within(place: Place, outer: Place) -> bool:
    """Whether a statement stands in the body of another one."""
    return outer.line < place.line and place.end_line <= outer.end_line
