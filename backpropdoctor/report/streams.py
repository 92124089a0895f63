"""Standard output and standard error during a run: who may write where, and the line that says it is still going."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO

_PATIENCE = 1.0  # seconds before a progress line appears: a shorter run needs none
_PERIOD = 0.2
_WHEEL = "|/-\\"


@contextmanager
def undisturbed() -> Iterator[None]:
    """Whatever the checked code does to the working folder and the standard streams is undone afterwards."""
    folder, streams = os.getcwd(), (sys.stdin, sys.stdout, sys.stderr)
    try:
        yield
    finally:
        os.chdir(folder)
        sys.stdin, sys.stdout, sys.stderr = streams


@contextmanager
def output_to_stderr(wanted: bool = True) -> Iterator[None]:
    """While active, what is written to standard output goes to standard error, that of child processes included."""
    if not wanted:
        yield
        return
    sys.stdout.flush()
    saved = _save_descriptor()
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        sys.stderr.flush()
        if saved is not None:
            os.dup2(saved, 1)
            os.close(saved)


def _save_descriptor() -> int | None:
    """Point descriptor 1 at descriptor 2 where Python's streams really are those two."""
    try:
        if sys.stdout.fileno() != 1 or sys.stderr.fileno() != 2:
            return None
        saved = os.dup(1)
        os.dup2(2, 1)
        return saved
    except (OSError, ValueError, AttributeError):
        return None


@contextmanager
def progress_line(stream: TextIO) -> Iterator[Callable[..., None]]:
    """A function `progress(message, done=None, total=None)` whose last words stand on one line of a terminal.

    The line appears after a second and goes when the block ends; where `stream` is no terminal nothing is ever written.
    """
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        yield lambda *words, **more: None
        return
    line = _Line(stream)
    line.thread.start()
    try:
        yield line.say
    finally:
        line.stop()


class _Line:
    def __init__(self, stream: TextIO) -> None:
        self.stream, self.message, self.shown = stream, "checking", False
        self.started, self.over = time.monotonic(), threading.Event()
        self.thread = threading.Thread(target=self._turn, daemon=True, name="backpropdoctor-progress")

    def say(self, message: Any = "checking", done: int | None = None, total: int | None = None) -> None:
        """Set the words of the line: a message, and how many of how many."""
        share = "" if done is None else f" {done}" if total is None else f" {done} of {total}"
        self.message = f"{message}{share}"

    def _turn(self) -> None:
        if self.over.wait(_PATIENCE):
            return
        turns = 0
        while not self.over.is_set():
            passed = time.monotonic() - self.started
            self.stream.write(f"\r\x1b[K{_WHEEL[turns % len(_WHEEL)]} {self.message} ({passed:.0f} s)")
            self.stream.flush()
            self.shown, turns = True, turns + 1
            self.over.wait(_PERIOD)

    def stop(self) -> None:
        self.over.set()
        self.thread.join()
        if self.shown:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
