"""Code behaves the same with everything recorded: CPython's and NumPy's own tests, instrumented against plain.

By default CPython's files and two modules of NumPy's; all of them with BACKPROPDOCTOR_ALL=1.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent

CPYTHON = [
    "grammar",
    "generators",
    "scope",
    "class",
    "fstring",
    "named_expressions",
    "patma",
    "coroutines",
    "listcomps",
    "unpack_ex",
    "exceptions",
    "with",
    "contextlib",
    "decorators",
    "dictcomps",
    "setcomps",
    "genexps",
    "augassign",
    "compare",
    "descr",
    "super",
    "funcattrs",
    "keywordonlyarg",
    "extcall",
    "raise",
    "yield_from",
    "asyncgen",
    "positional_only_arg",
    "except_star",
    "global",
    "string_literals",
    "unpack",
    "property",
]

NUMPY = [
    "_core/tests/test_ufunc",
    "_core/tests/test_indexing",
    "_core/tests/test_shape_base",
    "_core/tests/test_item_selection",
    "lib/tests/test_stride_tricks",
    "lib/tests/test_index_tricks",
    "lib/tests/test_ufunclike",
]

QUICK = {"lib/tests/test_index_tricks", "lib/tests/test_ufunclike"}

# what is known to differ, with the reason; docs/transparency.md explains
KNOWN = {
    "test_slots": "objects that allow no weak reference live until the recording ends",
}


@cache
def folder(package: str) -> Path | None:
    """Where a package keeps its files."""
    try:
        found = importlib.util.find_spec(package)
    except ImportError:
        return None
    return Path(next(iter(found.submodule_search_locations))) if found and found.submodule_search_locations else None


def outcomes(mode: str, file: Path, package: str, **env: str) -> dict[str, Any]:
    """What became of each test in a process of its own."""
    path = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, str(HERE / "transparency_harness.py"), mode, str(file), package],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": "0", "NPY_AVAILABLE_MEM": "2 GB", **env},
        timeout=600,
    )
    lines = done.stdout.splitlines()
    assert lines, done.stderr[-3000:]
    return json.loads(lines[-1])


def differences(file: Path, package: str, **env: str) -> dict[str, tuple[str | None, str | None]]:
    """The tests whose outcomes differ: plain, recorded."""
    plain, recorded = outcomes("plain", file, package)["seen"], outcomes("recorded", file, package, **env)["seen"]
    assert sum(v == "passed" for v in plain.values()) > 0
    return {
        name: (plain.get(name), recorded.get(name))
        for name in {*plain, *recorded}
        if plain.get(name) != recorded.get(name) and name.rpartition(".")[2] not in KNOWN
    }


@pytest.mark.parametrize("name", CPYTHON)
def test_cpythons_own_tests(name: str) -> None:
    base = folder("test")
    if base is None or not (base / f"test_{name}.py").exists():
        pytest.skip(f"this Python does not ship test_{name}")
    assert differences(base / f"test_{name}.py", "test") == {}


@pytest.mark.parametrize("name", NUMPY)
def test_numpys_own_tests(name: str) -> None:
    if name not in QUICK and os.environ.get("BACKPROPDOCTOR_ALL", "") in ("", "0"):
        pytest.skip("takes long: runs with BACKPROPDOCTOR_ALL=1")
    base = folder("numpy")
    assert base is not None
    file = base / f"{name}.py"
    if not file.exists():
        pytest.skip(f"this NumPy does not ship {name}")
    assert differences(file, "numpy." + name.rpartition("/")[0].replace("/", ".")) == {}


def test_the_comparison_can_fail() -> None:
    base = folder("test")
    if base is None or not (base / "test_augassign.py").exists():
        pytest.skip("this Python does not ship test_augassign")
    assert differences(base / "test_augassign.py", "test", BROKEN="1")
