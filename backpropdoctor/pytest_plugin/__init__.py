"""The pytest plugin: the fixture `doctor`, the marker `backprop`, `--backprop-check PATH`, the outcome 'undecided'.

Only pytest is imported here; all else when a run first uses it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .fixture import Doctor

_MARKER = (
    "backprop(*target, strict=None, **options): check `target` (a path beside the test, or what `bd.check` takes) "
    "before the test runs; strict=True makes what is undecided in this test a failure"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("backpropdoctor", "hand-written backpropagation")
    group.addoption(
        "--backprop-check",
        action="append",
        default=[],
        metavar="PATH",
        help="check a training script or a module: one test for each of its parameters or layers (may be repeated)",
    )
    group.addoption("--backprop-strict", action="store_true", help="an undecided check fails")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)
    if config.getoption("backprop_check"):
        from . import collect

        collect.prepare(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    if config.getoption("backprop_check"):
        from . import collect

        collect.clear(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells an xdist worker where the workers leave their reports for each other."""
    if node.config.getoption("backprop_check"):
        from . import collect

        node.workerinput[collect.FOLDER] = collect.folder_of(node.config)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Adds the items of --backprop-check in front of the other plugins, so that -k and -m choose among them too."""
    if config.getoption("backprop_check"):
        from . import collect

        items.extend(collect.items(session))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    marker = item.get_closest_marker("backprop")
    if marker is not None and marker.args:
        from . import fixture

        fixture.check_marked(item)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    made = yield
    package = sys.modules.get("backpropdoctor.asserts")
    if package is not None:
        from . import outcome

        outcome.amend(item, call, made.get_result())  # type: ignore[attr-defined]


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    if hasattr(report, "backprop_undecided"):
        return "undecided", "u", ("UNDECIDED", {"purple": True})
    return None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if undecided := terminalreporter.stats.get("undecided"):
        from . import outcome

        outcome.summarise(terminalreporter, undecided)


@pytest.fixture
def doctor(request: pytest.FixtureRequest) -> Doctor:
    """The doctor for one test: `check`, `check_gradient`, `check_layer` and the assertions; it keeps every report."""
    from .fixture import doctor_of

    return doctor_of(request.node)
