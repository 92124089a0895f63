"""`--backprop-check PATH`: a script or a module as a file of tests, one for each tensor. The check runs once a file."""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .parts import Part, parts, properties
from .share import shared

FOLDER = "backprop_folder"
_FOLDER_KEY: pytest.StashKey[str] = pytest.StashKey()


class BackpropWarning(UserWarning):
    """A finding that fails nothing, such as a gradient that is right but for one factor common to all parameters."""


def prepare(config: pytest.Config) -> None:
    """Looks at the paths before anything runs; raises pytest.UsageError for one that cannot be checked."""
    for given in config.getoption("backprop_check"):
        path = _absolute(config, given)
        if not path.exists():
            raise pytest.UsageError(f"--backprop-check: no such file: `{given}`")
        if not path.is_file():
            raise pytest.UsageError(f"--backprop-check: `{given}` is a folder: name its files, one option each")


def _absolute(config: pytest.Config, given: str) -> Path:
    return Path(os.path.abspath(os.path.join(config.invocation_params.dir, given)))


def folder_of(config: pytest.Config) -> str:
    """The folder of this run in which xdist workers leave their reports for each other; made when first asked for."""
    if _FOLDER_KEY not in config.stash:
        config.stash[_FOLDER_KEY] = tempfile.mkdtemp(prefix="backpropdoctor-")
    return config.stash[_FOLDER_KEY]


def clear(config: pytest.Config) -> None:
    """Removes that folder."""
    if _FOLDER_KEY in config.stash:
        shutil.rmtree(config.stash[_FOLDER_KEY], ignore_errors=True)


def items(session: pytest.Session) -> Iterator[pytest.Item]:
    """The tests of every path given, each path once."""
    paths = (_absolute(session.config, given) for given in session.config.getoption("backprop_check"))
    for path in dict.fromkeys(paths):
        yield from session.genitems(BackpropFile.from_parent(session, path=path))


class BackpropFile(pytest.File):
    """A script or a module."""

    def collect(self) -> Iterable[BackpropItem]:
        workerinput = getattr(self.config, "workerinput", {})
        found: list[Part] = shared(workerinput.get(FOLDER), str(self.path), lambda: _checked(self._shown_path()))
        return [BackpropItem.from_parent(self, name=part.name, part=part) for part in found]

    def _shown_path(self) -> str:
        relative = os.path.relpath(self.path)
        return str(self.path) if relative.startswith("..") else relative


def _checked(path: str) -> list[Part]:
    """Runs the check; what the script does to warnings and to the random state stays with the script."""
    import numpy as np

    from ..api import check
    from ..errors import BackpropDoctorError

    kept = random.getstate(), np.random.get_state()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the script's warnings are not the tests', nor is `-W error` the script's
            return parts(check(path, pictures=False))  # nobody draws these
    except BackpropDoctorError as error:
        raise pytest.Collector.CollectError(str(error)) from error
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])


class BackpropItem(pytest.Item):
    """One tensor, or one finding that belongs to none."""

    def __init__(self, *, part: Part, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.part = part
        self.add_marker("backprop")
        self.user_properties += properties(part)

    def runtest(self) -> None:
        from ..asserts import CheckFailed, CheckUndecided

        part = self.part
        for finding in part.warnings:
            text = f"{finding.code}: {finding.message}"
            warnings.warn_explicit(text, BackpropWarning, finding.path or str(self.path), finding.line or 1)
        if part.verdict in ("wrong", "inherited"):
            raise CheckFailed(part.report)
        if part.verdict == "undecided":
            raise CheckUndecided(part.report)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        asserts = sys.modules.get("backpropdoctor.asserts")
        if asserts is not None and isinstance(excinfo.value, asserts.CheckFailed):
            from .outcome import Drawn

            return Drawn(excinfo.value.report)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        line = self.part.line
        return self.path, line - 1 if line else None, f"backprop {self.path.name}: {self.name}"
