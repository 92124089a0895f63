"""Runs the user's script once more, plain but for a few probes: which blocks are entered, and with which values.

Nothing is recorded between the probes, so the script goes at its own speed; its output is swallowed, its random numbers
are its own, and the global generator of NumPy is put back afterwards.
"""

from __future__ import annotations

import ast
import io
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from ...tape.instrument import Constants
from ...tape.run import Stop
from ...tape.run_modules import Environment, UserModules

Probe = Callable[[FrameType], None]
Place = tuple[str, int, int, str]  # path, line, column of a statement; 'before' it, or the start of 'body' or 'orelse'


@dataclass(slots=True)
class Outcome:
    """How the run ended: by itself (`finished`), by a probe (`stopped`), by the clock (`late`), or by an exception."""

    finished: bool = False
    stopped: bool = False
    late: bool = False
    exception: BaseException | None = None
    namespace: dict[str, Any] = field(default_factory=dict)


class _Null(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


def rerun(
    path: str,
    args: Sequence[str] = (),
    *,
    probes: Mapping[Place, Probe] | None = None,
    sources: Mapping[str, str] | None = None,
    root: str | None = None,
    seconds: float = 10.0,
) -> Outcome:
    """Run the script at `path` with `probes` called at their places, for at most about `seconds`.

    `sources` are texts to run in place of files. A probe gets the user's frame, and may raise `Stop`.
    """
    absolute = os.path.abspath(path)
    deadline = time.monotonic() + seconds
    outcome = Outcome()

    def tick(frame: FrameType) -> None:
        if time.monotonic() > deadline:
            outcome.late = True
            raise Stop

    woven = _Weaver(dict(probes or {}), dict(sources or {}), tick)
    module = ModuleType("__main__")
    state = np.random.get_state()
    session = SimpleNamespace(
        compile=woven.compile,
        result=SimpleNamespace(unread={}),
        recorder=SimpleNamespace(user_modules=set()),
    )
    try:
        with (
            redirect_stdout(_Null()),
            redirect_stderr(_Null()),
            Environment(path, list(args), module),
            UserModules(session, os.path.abspath(root or os.path.dirname(absolute))),
        ):
            code = woven.compile(Path(path).read_bytes(), absolute).code
            _execute(code, module, outcome)
    finally:
        np.random.set_state(state)
    outcome.namespace = module.__dict__
    return outcome


def _execute(code: Any, module: ModuleType, outcome: Outcome) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(code, module.__dict__)
        outcome.finished = True
    except Stop:
        outcome.stopped = not outcome.late
    except SystemExit:
        outcome.finished = True
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the user's own
        outcome.exception = error


class _Weaver:
    def __init__(self, probes: dict[Place, Probe], sources: dict[str, str], tick: Probe) -> None:
        self.probes, self.sources, self.tick = probes, sources, tick

    def compile(self, source: str | bytes, path: str, **_: Any) -> Any:
        """The code of one file with the probes in it."""
        text: str | bytes = self.sources.get(path, source)
        constants = Constants(text if isinstance(text, str) else text.decode(errors="replace"))
        tree = ast.parse(text, path)
        _Insert(path, self.probes, self.tick, constants).block(tree.body)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)
        return SimpleNamespace(code=constants.fill(code))


class _Insert:
    def __init__(self, path: str, probes: dict[Place, Probe], tick: Probe, constants: Constants) -> None:
        self.path, self.probes, self.tick, self.constants = path, probes, tick, constants

    def block(self, body: list[ast.stmt], depth: int = 0) -> None:
        """Put the probes of one block and of all within it."""
        for node in list(body):
            loop = isinstance(node, (ast.For, ast.AsyncFor, ast.While))
            inner = 0 if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) else depth + loop
            for name in ("body", "orelse", "finalbody"):
                held = getattr(node, name, None)
                if isinstance(held, list) and held and isinstance(held[0], ast.stmt):
                    self.block(held, inner)
                    if loop and depth == 0 and name == "body":
                        held.insert(0, self.call(self.tick, node))
                    self.put(held, 0, node, name)
            for part in [*getattr(node, "handlers", ()), *getattr(node, "cases", ())]:
                self.block(part.body, inner)
            self.put(body, body.index(node), node, "before")

    def put(self, body: list[ast.stmt], at: int, node: ast.stmt, where: str) -> None:
        """Insert the probe of a place, if there is one, behind a docstring."""
        probe = self.probes.get((self.path, node.lineno, node.col_offset, where))
        if probe is None:
            return
        if where == "body" and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            at = 1
        body.insert(at, self.call(probe, node))

    def call(self, probe: Probe, node: ast.stmt) -> ast.stmt:
        """A statement that calls the probe with the frame it stands in."""

        def hook() -> None:
            probe(sys._getframe(1))

        call = ast.Call(ast.Constant(self.constants.put(hook)), [], [])
        return ast.copy_location(ast.Expr(ast.copy_location(call, node)), node)


def place(path: str, node: ast.AST, where: str) -> Place:
    """The key of a probe."""
    return (path, node.lineno, node.col_offset, where)  # type: ignore[attr-defined]
