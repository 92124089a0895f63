"""Run in its own process: a unittest or pytest file, plain or instrumented and recorded; prints the outcomes.

python transparency_harness.py plain|recorded FILE
"""

from __future__ import annotations

import doctest
import io
import json
import os
import sys
import types
import unittest
import warnings
from pathlib import Path
from typing import Any

REAL_OUT = sys.stdout


def load(path: Path, recorded: bool, package: str) -> tuple[types.ModuleType, Any]:
    """The file as a module named after it."""
    name = f"{package}.{path.stem}" if package else path.stem
    module = types.ModuleType(name)
    module.__file__ = str(path)
    module.__package__ = package
    sys.modules[name] = module
    source = path.read_bytes()
    if not recorded:
        exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
        return module, None
    from backpropdoctor.tape.instrument_loops import Program
    from backpropdoctor.tape.run import Session

    class Everything:
        def begin(self, *_: Any) -> bool:
            return True

        def end(self, *_: Any) -> None:
            pass

    session = Session(Everything(), Program(), max_nodes=10**7, max_bytes=1 << 29)
    session.recorder.user_modules.add(name)
    if os.environ.get("BROKEN"):  # the comparison must be able to fail
        session.hooks["N"] = lambda spec, value: value + 1000 if type(value) is int else value
    code = session.compile(source, str(path), record_module=True).code
    doctest.compile = lambda text, name, mode, flags=0, *_: (
        session.compile(  # type: ignore[attr-defined]
            text, name, record_module=True, flags=flags, mode=mode
        ).code
    )
    session.recorder.start()
    exec(code, module.__dict__)
    return module, session


class Outcomes(unittest.TestResult):
    """What became of each test."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, str] = {}

    def addSuccess(self, test: Any) -> None:
        self.seen.setdefault(test.id(), "passed")

    def addError(self, test: Any, err: Any) -> None:
        self.seen[test.id()] = f"error: {err[0].__name__}: {err[1]}"

    def addFailure(self, test: Any, err: Any) -> None:
        self.seen[test.id()] = f"failure: {err[0].__name__}: {err[1]}"

    def addSkip(self, test: Any, reason: str) -> None:
        self.seen[test.id()] = "skipped"

    def addExpectedFailure(self, test: Any, err: Any) -> None:
        self.seen[test.id()] = "expected failure"

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self.seen[subtest.id()] = f"failure: {err[0].__name__}: {err[1]}"


def run_unittest(module: types.ModuleType) -> dict[str, str]:
    outcomes = Outcomes()
    unittest.defaultTestLoader.loadTestsFromModule(module).run(outcomes)
    return outcomes.seen


def run_pytest(module: types.ModuleType, path: Path) -> dict[str, str]:
    import pytest

    seen: dict[str, str] = {}

    class Plugin:
        def pytest_collect_file(self, file_path: Path, parent: Any) -> Any:
            if file_path == path:
                made = pytest.Module.from_parent(parent, path=file_path)
                made._getobj = lambda: module
                return made
            return None

        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.when == "call" or report.outcome != "passed":
                crash = getattr(report.longrepr, "reprcrash", None)
                seen[report.nodeid] = report.outcome + (f": {crash.message}" if crash else "")

    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(path.parent), "-W", "default"]
    pytest.main([*options, str(path)], plugins=[Plugin()])
    return seen


def main() -> None:
    mode, file = sys.argv[1], Path(sys.argv[2]).resolve()
    package = sys.argv[3] if len(sys.argv) > 3 else ""
    sys.stdout = io.StringIO()
    sys.path.insert(0, str(file.parent))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with warnings.catch_warnings():
        module, session = load(file, mode == "recorded", package)
    seen = run_pytest(module, file) if package.startswith("numpy") else run_unittest(module)
    reason = "" if session is None else session.recorder.tape.reason
    wrong: list[str] = []
    if mode == "recorded" and os.environ.get("ORACLE"):
        from tape_oracle import unfaithful

        session.recorder.close()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wrong = unfaithful(session.recorder.tape)
    nodes = 0 if session is None else len(session.recorder.tape.nodes)
    print(json.dumps({"seen": seen, "reason": reason, "nodes": nodes, "unfaithful": wrong}), file=REAL_OUT)


if __name__ == "__main__":
    main()
