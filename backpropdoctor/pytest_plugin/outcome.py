"""How pytest is told: the outcome 'undecided', the properties for JUnit, the report as it draws itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ..asserts import CheckFailed, CheckUndecided
from ..report.report import Report
from ..report.wording import ordered
from .parts import report_properties

REPORTS: pytest.StashKey[list[Report]] = pytest.StashKey()
MARKED: pytest.StashKey[BaseException] = pytest.StashKey()  # raised by the check of a marker: at no line of the test
_TOLD: pytest.StashKey[int] = pytest.StashKey()


class Drawn:
    """A report in place of a traceback, as wide and as colourful as the terminal."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.reprcrash = SimpleNamespace(message=headline(report))

    def toterminal(self, tw: Any) -> None:
        tw.line(self.report.text(colour=tw.hasmarkup, width=tw.fullwidth))

    def __str__(self) -> str:
        return self.report.text(width=110)


def headline(report: Report) -> str:
    """The first thing to say of a report, in one line."""
    for finding in ordered(report.findings):
        return f"{finding.severity}[{finding.code}]: {finding.message}"
    rows = [f"`{row.tensor}` {row.verdict}: {row.reason}" for row in report.checked if row.reason]
    return next(iter([*report.incomplete, *rows, report.stopped_by or report.status]))


def is_strict(item: pytest.Item) -> bool:
    """The marker decides, else the command line."""
    for marker in item.iter_markers("backprop"):
        if marker.kwargs.get("strict") is not None:
            return bool(marker.kwargs["strict"])
    return bool(item.config.getoption("backprop_strict"))


def amend(item: pytest.Item, call: pytest.CallInfo[None], made: pytest.TestReport) -> None:
    """Adds to a test's report what the doctor knows; an undecided check becomes an expected failure unless strict."""
    error = call.excinfo.value if call.excinfo is not None else None
    _tell_properties(item, made, error)
    if made.outcome != "failed":
        return
    if isinstance(error, CheckUndecided) and not is_strict(item):
        made.outcome = "skipped"
        made.wasxfail = made.backprop_undecided = f"undecided: {headline(error.report)}"  # type: ignore[attr-defined]
        return
    shown = error.report if isinstance(error, CheckFailed) else None
    if shown is not None and item.stash.get(MARKED, None) is error:
        made.longrepr = Drawn(shown)  # type: ignore[assignment]
    kept: list[Report] = item.stash.get(REPORTS, [])
    for report in kept:
        if not report.ok and report is not shown:
            made.sections.append((f"backpropdoctor: {report.target}", report.text(width=110)))


def _tell_properties(item: pytest.Item, made: pytest.TestReport, error: BaseException | None) -> None:
    if hasattr(item, "part"):
        return  # an item of --backprop-check has said it already
    kept: list[Report] = item.stash.get(REPORTS, [])
    reports = list(kept)
    if isinstance(error, CheckFailed) and not any(error.report is r for r in reports):
        reports.append(error.report)
    for report in reports[item.stash.get(_TOLD, 0) :]:
        told = list(report_properties(report))
        item.user_properties += told
        made.user_properties += told
    item.stash[_TOLD] = len(reports)


def summarise(terminal: Any, undecided: list[Any]) -> None:
    """Why each undecided test is, at the end of the run: it is no pass."""
    terminal.section("undecided", purple=True)
    for report in undecided:
        terminal.line(f"UNDECIDED {report.nodeid} - {report.backprop_undecided.removeprefix('undecided: ')}")
    terminal.line("an undecided check is no pass; --backprop-strict makes it a failure")
