"""One process makes a value, the others of the same test run read it: xdist workers must all collect the same tests."""

from __future__ import annotations

import hashlib
import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")
_PATIENCE = 600.0  # seconds after which a worker that is waited for is taken for dead


def shared(folder: str | None, key: str, make: Callable[[], _T]) -> _T:
    """`make()`, called by the first process that asks for `key` in `folder`; None for a folder: always called.

    What `make` raises is raised by the process that called it; the others then call it themselves.
    """
    if folder is None:
        return make()
    stem = Path(folder) / hashlib.sha256(key.encode()).hexdigest()[:16]
    done, failed = stem.with_suffix(".done"), stem.with_suffix(".failed")
    try:
        os.close(os.open(stem.with_suffix(".begun"), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return _read(done) if _wait(done, failed) else make()
    try:
        value = make()
        _write(done, value)
    except BaseException:
        failed.touch()
        raise
    return value


def _write(path: Path, value: object) -> None:
    """In one step, so that nobody reads half of it."""
    half = path.with_suffix(".half")
    half.write_bytes(pickle.dumps(value))
    half.replace(path)


def _read(path: Path) -> _T:  # type: ignore[type-var]
    value: _T = pickle.loads(path.read_bytes())  # made by this very run, in a folder of its own
    return value


def _wait(done: Path, failed: Path) -> bool:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if done.exists():
            return True
        if failed.exists():
            return False
        time.sleep(0.05)
    return False
