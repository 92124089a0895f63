"""Run a user's program once more, in silence, with other source text if wanted."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from ...tape.run import MAX_BYTES, MAX_NODES, RunResult, Session, _execute
from ...tape.run_modules import Environment, UserModules, read_program


def run_again(
    path: str,
    args: Sequence[str],
    policy: Any,
    *,
    texts: Mapping[str, str] | None = None,
    watched: Callable[[Any], Any] | None = None,
) -> RunResult:
    """Run the file `path`; `texts` are edited sources by absolute path. `watched(recorder)` gives a context to run in.

    Nothing is written, nothing printed. Raises SyntaxError where an edited source is not Python.
    """
    absolute = os.path.abspath(path)
    root = os.path.dirname(absolute)
    program = read_program(absolute, root)
    session = _Edited(policy, program, texts or {})
    session.keep_closures = watched is not None
    session.result.whole = not program.updates
    code = session.compile(Path(path).read_bytes(), absolute, record_module=session.result.whole).code
    module = ModuleType("__main__")
    session.recorder.user_modules.add("__main__")
    around = watched(session.recorder) if watched else contextlib.nullcontext()
    with quiet(), Environment(path, args, module), UserModules(session, root), around:
        _execute(session, code, module)
    session.result.namespace = module.__dict__
    return session.result


class Program(Protocol):
    """What was recorded and can be recorded again."""

    @property
    def path(self) -> str:
        """The file of edits that name none."""

    def again(
        self, policy: Any, *, texts: Mapping[str, str] | None = None, watched: Callable[[Any], Any] | None = None
    ) -> RunResult:
        """Run it once more from the start, in silence; as for `run_again`."""


@dataclass(frozen=True, slots=True)
class Script:
    """A script with its arguments."""

    path: str
    args: Sequence[str] = ()

    def again(
        self, policy: Any, *, texts: Mapping[str, str] | None = None, watched: Callable[[Any], Any] | None = None
    ) -> RunResult:
        """Run the script once more."""
        return run_again(self.path, self.args, policy, texts=texts, watched=watched)


class _Edited(Session):
    """A session that compiles the edited text in the place of a file's own."""

    def __init__(self, policy: Any, program: Any, texts: Mapping[str, str]) -> None:
        super().__init__(policy, program, max_nodes=MAX_NODES, max_bytes=MAX_BYTES)
        self._texts = texts
        self.is_loss_name = getattr(policy, "is_loss_name", None)

    def compile(self, source: str | bytes, path: str, **options: Any) -> Any:
        return super().compile(self._texts.get(path, source), path, **options)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """What a program prints is not shown."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
