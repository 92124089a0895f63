"""Runs a user's script, or calls a user's function, with a recorder in it, and hands back what was recorded."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from ..errors import UsageError
from .instrument import Instrumented, instrument
from .instrument_loops import Program
from .instrument_spec import Loop
from .record import Recorder
from .record_hooks import make_hooks
from .record_loops import loop_hooks
from .run_modules import Environment, UserModules, read_program, scrub
from .tape import Site, Tape

MAX_NODES = 400_000
MAX_BYTES = 2 << 30


class Stop(BaseException):
    """Raised by a policy at the start of an iteration: enough has been recorded, the script ends here."""


class Policy(Protocol):
    """Decides at the start of each iteration of a loop that may be the training loop whether it is recorded."""

    def begin(self, loop: Site, instance: int, iteration: int, tape: Tape) -> bool:
        """Iteration `iteration` (from 0) of run `instance` of the loop at site `loop` begins. May raise `Stop`."""

    def end(self, loop: Site, instance: int, iteration: int, tape: Tape) -> None:
        """The run of the loop is over, after `iteration` iterations. May raise `Stop`."""


@dataclass
class FirstSteps:
    """Record the first `count` iterations of the outermost candidate loop with all that is in them, then stop."""

    count: int = 3
    _open: tuple[int, int] | None = None

    def begin(self, loop: Site, instance: int, iteration: int, tape: Tape) -> bool:
        if self._open is None:
            self._open = (loop.id, instance)
        if self._open == (loop.id, instance) and iteration >= self.count:
            raise Stop
        return True

    def end(self, loop: Site, instance: int, iteration: int, tape: Tape) -> None:
        if self._open == (loop.id, instance):
            self._open = None


@dataclass
class RunResult:
    """What a run left behind.

    `exception` is what the user's code raised, its traceback free of this package's frames; `exit_code` what the
    process would have exited with; `stopped` says that the policy ended the run; `whole` that no loop could be the
    training loop, so that everything was recorded from the start; `unread` names user files that ran uninstrumented, with the
    reason.
    """

    tape: Tape
    sites: list[Site] = field(default_factory=list)
    loops: dict[int, Loop] = field(default_factory=dict)  # by the id of their site
    exception: BaseException | None = None
    exit_code: int = 0
    stopped: bool = False
    whole: bool = False
    value: Any = None  # what a recorded call returned
    namespace: dict[str, Any] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    unread: dict[str, str] = field(default_factory=dict)


class Session:
    """One recorder, its hooks, and the files instrumented for it."""

    def __init__(self, policy: Policy, program: Program, *, max_nodes: int, max_bytes: int) -> None:
        self.recorder = Recorder(max_nodes=max_nodes, max_bytes=max_bytes)
        self.program = program
        self.result = RunResult(self.recorder.tape)
        self.is_loss_name: Callable[[str], bool] | None = None  # set where the script's own loss may be asked for
        self.keep_closures = False
        self.hooks = make_hooks(self.recorder, Stop)
        self.hooks.update(loop_hooks(self.recorder, policy, Stop))

    def compile(
        self, source: str | bytes, path: str, *, record_module: bool = False, flags: int = 0, mode: str = "exec"
    ) -> Instrumented:
        """Instrument one file."""
        made = instrument(
            source,
            path,
            self.hooks,
            program=self.program,
            first_site=len(self.result.sites),
            record_module=record_module,
            flags=flags,
            mode=mode,
            is_loss_name=self.is_loss_name,
            keep_closures=self.keep_closures,
        )
        self.result.sites.extend(made.sites)
        self.result.loops.update((loop.site.id, loop) for loop in made.loops)
        self.result.files.add(path)
        self.recorder.user_files.add(path)
        return made


def run_script(
    path: str | os.PathLike[str],
    args: Sequence[str] = (),
    *,
    policy: Policy | None = None,
    user_root: str | os.PathLike[str] | None = None,
    max_nodes: int = MAX_NODES,
    max_bytes: int = MAX_BYTES,
    whole: bool | None = None,
    debug: bool = False,
) -> RunResult:
    """Run the file `path` as `__main__` with `args` in sys.argv, recorded where the `policy` says so.

    `whole` records everything from the start (default: only if no loop can be the training loop). `user_root` is the
    folder whose modules are the user's code too (default: the script's). Raises UsageError if there is
    no such file or it is not Python.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise UsageError(f"no such file: `{path}`")
    absolute = os.path.abspath(path)
    root = os.path.abspath(user_root or os.path.dirname(absolute))
    source = Path(path).read_bytes()
    program = read_program(absolute, root)
    session = Session(policy or FirstSteps(), program, max_nodes=max_nodes, max_bytes=max_bytes)
    session.recorder.debug = debug
    session.is_loss_name = getattr(policy, "is_loss_name", None)
    result = session.result
    result.whole = not program.updates if whole is None else whole
    try:
        code = session.compile(source, absolute, record_module=result.whole).code
    except SyntaxError as error:
        raise UsageError(f"`{path}` is not valid Python: {error.msg} (line {error.lineno})") from error
    except ValueError as error:
        raise UsageError(f"`{path}` is not valid Python: {error}") from error
    module = ModuleType("__main__")
    session.recorder.user_modules.add("__main__")
    with Environment(path, args, module), UserModules(session, root):
        _execute(session, code, module)
    result.namespace = module.__dict__
    return result


def _execute(session: Session, code: Any, module: ModuleType) -> None:
    result, recorder = session.result, session.recorder
    if result.whole:
        recorder.start()
    try:
        exec(code, module.__dict__)
    except Stop:
        result.stopped = True
    except SystemExit as error:
        result.exit_code = exit_status(error)
    except BaseException as error:
        result.exception = scrub(error)
        result.exit_code = 1
    finally:
        recorder.close()
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (AttributeError, ValueError, OSError):
                pass


def exit_status(error: SystemExit) -> int:
    """The exit status that Python gives for a SystemExit."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code
    print(error.code, file=sys.stderr)
    return 1
