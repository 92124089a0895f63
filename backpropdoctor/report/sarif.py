"""The report as a SARIF 2.1.0 log (OASIS standard, 27 March 2020), which code scanning shows at the findings' lines."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .. import __version__, rules
from ..edits import EditError, offsets
from ..finding import Finding, Fix
from ..source import Span
from . import wording
from .as_json import plain

if TYPE_CHECKING:
    from .report import Report

SCHEMA_URI = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# the levels of SARIF (3.27.10) have the names of the severities
LEVELS = {"error": "error", "warning": "warning", "note": "note"}


def render(report: Report) -> str:
    """The SARIF log as JSON text."""
    return json.dumps(to_dict(report), indent=2, ensure_ascii=False, allow_nan=False)


def to_dict(report: Report) -> dict[str, Any]:
    """The SARIF log as plain dicts and lists: one run, one result a finding, one rule for every code that occurs.

    What was not measured, and an exception that ended the run, are notifications of the invocation.
    """
    codes = sorted({f.code for f in report.findings})
    named = {f.code: f for f in report.findings}
    run = {
        "tool": {
            "driver": {
                "name": "backpropdoctor",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(named[code]) for code in codes],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": [_result(f, codes.index(f.code), report.target) for f in report.findings],
        "properties": {"status": report.status, "summary": wording.summary(report)},
    }
    return {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run]}


def _rule(finding: Finding) -> dict[str, Any]:
    """The rule of a finding with its page as help; a code without a page is described by its name."""
    row: dict[str, Any] = {
        "id": finding.code,
        "name": finding.name,
        "defaultConfiguration": {"level": LEVELS[finding.severity]},
    }
    try:
        rule = rules.get(finding.code)
    except KeyError:
        return row | {"shortDescription": {"text": finding.name.replace("-", " ")}}
    page = rule.page.strip()
    return row | {
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "help": {"text": page, "markdown": page},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
    }


def _invocation(report: Report) -> dict[str, Any]:
    notifications = [{"level": "warning", "message": {"text": f"not measured: {t}"}} for t in report.incomplete]
    for row in report.checked:
        if row.verdict == "undecided":
            text = f"undecided: `{row.tensor}`" + (f": {row.reason}" if row.reason else "")
            notifications.append({"level": "warning", "message": {"text": text}})
    if report.stopped_by:
        notifications.append({"level": "error", "message": {"text": f"stopped: {report.stopped_by}"}})
    return {
        "executionSuccessful": report.stopped_by is None,
        "exitCode": report.exit_status,
        "toolExecutionNotifications": notifications,
    }


def _result(finding: Finding, rule: int, target: str) -> dict[str, Any]:
    facts = [f"{head}: {text}" for head, text in wording.facts(finding)]
    advice = wording.advice(finding)
    paragraphs = [finding.message, *facts, *([f"help: {advice}"] if advice else [])]
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": LEVELS[finding.severity],
        # code scanning shows the first paragraph at the line and the rest on the finding's page
        "message": {"text": "\n\n".join(paragraphs)},
        "locations": [],
        "properties": plain(
            {
                "tensors": finding.tensors,
                "affects": finding.affects,
                "layer": finding.layer,
                "step": finding.step,
                "sample": finding.sample,
                "measured": finding.measured,
                "explanations": [{"text": e.text, "status": e.status} for e in finding.explanations],
            }
        ),
    }
    if finding.span:
        result["locations"] = [_location(finding.span, target, finding.label)]
    elif target:
        result["locations"] = [{"physicalLocation": {"artifactLocation": {"uri": uri(target, target)}}}]
    if finding.related:
        result["relatedLocations"] = [
            {"id": k + 1, **_location(span, target, label)} for k, (span, label) in enumerate(finding.related)
        ]
    if flow := _flow(finding, target):
        result["codeFlows"] = [{"threadFlows": [{"locations": flow}]}]
    if changes := _changes(finding, target):
        text = advice or "the edit that gives the true gradient"
        result["fixes"] = [{"description": {"text": text}, "artifactChanges": changes}]
    return result


def _location(span: Span, target: str, label: str) -> dict[str, Any]:
    region = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    if text := span.text:
        region["snippet"] = {"text": text}  # type: ignore[assignment]
    place: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": uri(span.path, target)}, "region": region}}
    return place | {"message": {"text": label}} if label else place


def _flow(finding: Finding, target: str) -> list[dict[str, Any]]:
    """The chain from birth to end as a code flow; steps without a line have no place in one."""
    steps = []
    for step in wording.chain(finding):
        if step.path and step.line:
            text = f"{step.text} = {step.value}" if step.value else step.text
            place = {"artifactLocation": {"uri": uri(step.path, target)}, "region": {"startLine": step.line}}
            steps.append({"location": {"physicalLocation": place, "message": {"text": text}}})
    return steps


def _changes(finding: Finding, target: str) -> list[dict[str, Any]]:
    """One artifact change a file, or nothing where an edit does not fit the source as it stands."""
    changes: dict[str, list[dict[str, Any]]] = {}
    for fix in finding.fixes or ((finding.fix,) if finding.fix else ()):
        path = fix.path or finding.path
        region = _deleted(fix, path) if path else None
        if region is None:
            return []
        row = {"deletedRegion": region, "insertedContent": {"text": fix.after}}
        changes.setdefault(str(path), []).append(row)
    return [{"artifactLocation": {"uri": uri(p, target)}, "replacements": rows} for p, rows in changes.items()]


def _deleted(fix: Fix, path: str) -> dict[str, int] | None:
    source = "".join(_lines(path))
    try:
        start, end = offsets(source, fix)
    except EditError:
        return None
    before = source[:start].split("\n")
    inside = source[start:end].split("\n")
    last = len(inside[-1]) + (len(before[-1]) if len(inside) == 1 else 0)
    return {
        "startLine": len(before),
        "startColumn": len(before[-1]) + 1,
        "endLine": len(before) + len(inside) - 1,
        "endColumn": last + 1,
    }


def _lines(path: str) -> Iterable[str]:
    import linecache

    return linecache.getlines(path)


def uri(path: str, target: str) -> str:
    """A path as SARIF wants it: relative with '/' where it lies below here, else 'file:///…'; quoted."""
    shown = wording.shown_path(path, target)
    if os.path.isabs(shown):
        relative = wording.shown_path(path)
        shown = relative if not os.path.isabs(relative) else shown
    if os.path.isabs(shown):
        return PurePath(shown).as_uri()
    return quote(os.path.normpath(shown).replace(os.sep, "/"), safe="/.-_~")
