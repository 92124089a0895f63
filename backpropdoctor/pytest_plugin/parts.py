"""A report taken apart into what can pass or fail by itself: its tensors, and the findings that belong to none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..finding import Checked, Finding
from ..report.report import Report
from ..report.wording import ordered


@dataclass(frozen=True, slots=True)
class Part:
    """One test: its name, its verdict, the report on it alone, and the row of the table that it stands for, if any.

    `warnings` are the findings to be said with this part although they fail nothing.
    """

    name: str
    verdict: str  # "right", "wrong", "inherited" or "undecided"
    report: Report
    row: Checked | None = None
    warnings: tuple[Finding, ...] = ()

    @property
    def line(self) -> int | None:
        """The line to go to: that of the first finding, else that of the tensor."""
        spoken = next((f.line for f in self.report.findings if f.line), None)
        return spoken or (self.row.line if self.row else None)

    @property
    def reason(self) -> str:
        """Why it is undecided, in one line."""
        said = [self.row.reason] if self.row else []
        said += [*self.report.incomplete, self.report.stopped_by or "", *(f.message for f in self.report.findings)]
        return next((text for text in said if text), "not measured")


def parts(report: Report) -> list[Part]:
    """The parts in the order of the table, then the other findings, then what could not be measured.

    Some part is wrong if and only if the report is faulty; some is undecided if the report is incomplete.
    """
    found = [_tensor(report, row) for row in _rows(report)]
    covered = {id(f) for part in found if part.verdict in ("wrong", "inherited") for f in part.report.findings}
    for finding in ordered(report.findings):
        if finding.severity == "error" and id(finding) not in covered:
            alone = replace(report, findings=(finding,), checked=(), incomplete=())
            found.append(Part(_title(finding), "wrong", alone))
    if report.incomplete or report.stopped_by:
        others = tuple(f for f in report.findings if f.severity != "error")
        found.append(Part("run", "undecided", replace(report, findings=others, checked=())))
    if not found:
        found.append(Part("run", "right" if report.ok else "undecided", report))
    return _with_warnings(_named_apart(found), report)


def _rows(report: Report) -> list[Checked]:
    """Parameters and inputs; intermediate values where something is to be said of them, or where nothing else is."""
    chosen = [row for row in report.checked if row.kind != "intermediate" or row.verdict != "right"]
    return chosen or list(report.checked)


def _tensor(report: Report, row: Checked) -> Part:
    errors = [f for f in ordered(report.findings) if f.severity == "error"]
    about = [f for f in ordered(report.findings) if row.tensor in (*f.tensors, *f.affects)]
    if row.verdict in ("wrong", "inherited") and not any(f.severity == "error" for f in about):
        about += errors
    incomplete = tuple(text for text in report.incomplete if row.verdict == "undecided" and f"`{row.tensor}`" in text)
    alone = replace(report, findings=tuple(about), checked=(row,), incomplete=incomplete, stopped_by=None)
    return Part(row.tensor, row.verdict, alone, row)


def _title(finding: Finding) -> str:
    place = f":{finding.line}" if finding.line else ""
    return f"{finding.code}-{finding.name}{place}"


def _named_apart(found: list[Part]) -> list[Part]:
    """Parts of one name get a number, from the second one on."""
    seen: Counter[str] = Counter()
    named = []
    for part in found:
        seen[part.name] += 1
        named.append(part if seen[part.name] == 1 else replace(part, name=f"{part.name}#{seen[part.name]}"))
    return named


def _with_warnings(found: list[Part], report: Report) -> list[Part]:
    """Each warning goes with the first part that it is about, else with the first one."""
    given: dict[int, list[Finding]] = {}
    for finding in report.findings:
        if finding.severity == "warning":
            names = {*finding.tensors, *finding.affects}
            k = next((k for k, part in enumerate(found) if part.row and part.row.tensor in names), 0)
            if found[k].verdict == "right":
                given.setdefault(k, []).append(finding)
    return [replace(part, warnings=tuple(given.get(k, ()))) for k, part in enumerate(found)]


def properties(part: Part) -> Iterator[tuple[str, Any]]:
    """What JUnit and other reports are told of a part: plain numbers and texts."""
    yield "backprop.verdict", part.verdict
    yield from finding_properties(part.report)
    row = part.row
    if row is not None:
        values = {"tensor": row.tensor, "analytic": row.analytic, "numeric": row.numeric, "error": row.error}
        values |= {"ratio": row.ratio, "method": row.method or None, "evaluations": row.evaluations}
        yield from ((f"backprop.{key}", _plain(value)) for key, value in values.items() if value is not None)


def finding_properties(report: Report) -> Iterator[tuple[str, Any]]:
    """Code, name and place of each finding of a report that is more than a note."""
    for finding in ordered(report.findings):
        if finding.severity != "note":
            yield "backprop.code", finding.code
            yield "backprop.name", finding.name
            if finding.path:
                yield "backprop.place", f"{finding.path}:{finding.line}"


def report_properties(report: Report) -> Iterator[tuple[str, Any]]:
    """The same for a whole report: its status, its findings, the tensors that are wrong with their ratios."""
    yield "backprop.status", report.status
    yield from finding_properties(report)
    for row in report.checked:
        if row.verdict != "right":
            ratio = "" if row.ratio is None else f", ratio {row.ratio:.8g}"
            yield "backprop.verdict", f"{row.tensor}: {row.verdict}{ratio}"


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's: an xdist worker can send no others."""
    return value if isinstance(value, str) else value.item() if hasattr(value, "item") else value
