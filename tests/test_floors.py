"""A module imports only from its own room or from floors below it; `load` and `checks` do not know each other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import backpropdoctor

PACKAGE = "backpropdoctor"
ROOT = Path(__file__).resolve().parent.parent / PACKAGE

FLOORS: dict[str, int] = {
    "errors": 0, "source": 0, "tree": 0,
    "numeric": 1, "backends": 1,
    "tape": 2, "rule": 2, "rules": 2, "finding": 2, "edits": 2, "model": 2,
    "load": 3, "checks": 3,
    "diagnose": 4,
    "report": 5,
    "api": 6, "scripts": 6, "modules": 6, "examine": 6, "mended": 6, "reported": 6,
    "cli": 7, "pytest_plugin": 7, "notebook": 7, "strategies": 7, "asserts": 7,
}  # fmt: skip
TOP = "__init__", "__main__"

# rooms of one floor that must not know each other
APART = {("load", "checks"), ("checks", "load")}
REPORT_SEES = {"report", "finding", "edits", "rule", "rules", "source", "errors"}
FRAMEWORKS = {"torch", "jax", "cupy", "tensorflow", "autograd"}
PRINTERS = {"click", "jinja2", "tabulate"}


def room(module: str) -> str:
    """The room of 'backpropdoctor.numeric.noise' is 'numeric'; of the package itself '__init__'."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports(source: str, module: str, is_package: bool = False) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything `module` imports, at its top or inside functions, relative or not."""
    base = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            start = base[: len(base) - node.level + 1] if node.level else []
            name = ".".join([*start, *(node.module or "").split(".")]).strip(".")
            if name == PACKAGE:
                yield from ((node.lineno, _through_the_facade(alias.name)) for alias in node.names)
            else:
                yield node.lineno, name
        elif isinstance(node, ast.Call) and _is_import_module(node):
            target = _constant_start(node.args[0]) if node.args else ""
            if target.startswith(PACKAGE):
                yield node.lineno, target


def _through_the_facade(name: str) -> str:
    """`from backpropdoctor import check` is an import of the module that defines `check`."""
    if name.startswith("__"):
        return PACKAGE
    return f"{PACKAGE}.{backpropdoctor._WHERE.get(name, name)}"


def _is_import_module(call: ast.Call) -> bool:
    return (getattr(call.func, "id", None) or getattr(call.func, "attr", "")) in ("import_module", "__import__")


def _constant_start(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def violation(module: str, imported: str) -> str | None:
    """Why `module` may not import `imported`, or None where it may."""
    here, there = room(module), room(imported)
    outer = imported.split(".")[0]
    if outer != PACKAGE:
        if outer in FRAMEWORKS and here != "backends":
            return f"{outer} is imported in backends/ only"
        if outer in PRINTERS and here not in ("report", "cli", "notebook"):
            return f"{outer} is imported where reports are drawn only"
        return None
    if here in TOP or here == there or there == "__init__":
        return None
    if there in TOP or there not in FLOORS:
        return f"{there} has no floor"
    if here not in FLOORS:
        return f"{here} has no floor"
    if (here, there) in APART:
        return f"{here} and {there} do not import each other"
    if here == "report" and there not in REPORT_SEES:
        return "report/ sees findings only"
    if FLOORS[there] > FLOORS[here]:
        return f"{there} (floor {FLOORS[there]}) is above {here} (floor {FLOORS[here]})"
    return None


def modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        found.append((".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return found


@pytest.mark.parametrize(("module", "path"), modules(), ids=lambda v: v if isinstance(v, str) else "")
def test_a_module_imports_downward_only(module, path):
    here = room(module) if module != PACKAGE else "__init__"
    assert here in FLOORS or here in TOP, f"{module} has no floor: give it one in FLOORS and in docs/architecture.md"
    source = path.read_text(encoding="utf-8")
    wrong = [
        f"{path.name}:{line}: {reason}"
        for line, name in imports(source, module, path.name == "__init__.py")
        if (reason := violation(module, name))
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("numeric.noise", "from ..finding import Finding"),
        ("numeric.noise", "def f():\n    from backpropdoctor.api import check"),
        ("numeric.noise", "def f():\n    import backpropdoctor.diagnose.blame as b"),
        ("checks.updates", "from ..load.script import load"),
        ("load.script", "from ..checks import gradients"),
        ("load.script", "from .. import api"),
        ("report.text", "from ..tape.tape import Tape"),
        ("report.text", "if True:\n    from ..numeric import estimate"),
        ("source", "from backpropdoctor import finding"),
        ("numeric.noise", "from backpropdoctor import check_gradient"),
        ("source", "import importlib\nimportlib.import_module('backpropdoctor.cli')"),
        ("checks.gradients", "from ..attic import secret"),
        ("attic", "from .errors import UsageError"),
        ("diagnose.blame", "import torch"),
        ("diagnose.blame", "from click import echo"),
    ],
)
def test_the_guard_sees_an_import_that_goes_up(module, source):
    name = f"{PACKAGE}.{module}"
    assert any(violation(name, imported) for _, imported in imports(source, name))


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("diagnose.blame", "from ..finding import Finding\nfrom . import repair\nimport numpy as np"),
        ("report.text", "from ..finding import Finding\nfrom .report import Report\nimport click"),
        ("cli", "from . import api, rules"),
        ("backends.torch", "import torch"),
        ("numeric.noise", "from backpropdoctor import __version__"),
    ],
)
def test_the_guard_lets_an_import_that_goes_down_pass(module, source):
    name = f"{PACKAGE}.{module}"
    assert not any(violation(name, imported) for _, imported in imports(source, name))


def test_every_module_has_been_looked_at():
    assert len(modules()) > 15
    assert {"errors", "numeric", "tape", "rules", "report"} <= {room(name) for name, _ in modules()}


def test_the_architecture_page_names_every_room():
    page = (ROOT.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    existing = {room(name) for name, _ in modules() if name != PACKAGE} - set(TOP)
    assert not [name for name in sorted(existing) if not re.search(rf"\b{name}\b", page)]
