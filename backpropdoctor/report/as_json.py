"""The report as JSON, schema 1 (docs/report-schema.json)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..finding import Checked, Finding, Fix
from . import wording

if TYPE_CHECKING:
    from .report import Report

SCHEMA = 1


def to_dict(report: Report) -> dict[str, Any]:
    """The report as plain dicts, lists, strings and numbers.

    JSON has no NaN and no infinity: they become the strings "NaN", "Infinity" and "-Infinity" (as in Protocol Buffers'
    JSON mapping), which Python's `float` and JavaScript's `Number` read back.
    """
    return {
        "schema": SCHEMA,
        "tool": {"name": "backpropdoctor", "version": __version__},
        "target": report.target,
        "status": report.status,
        "ok": report.ok,
        "summary": wording.summary(report),
        "findings": [_finding(f, report.target) for f in report.findings],
        "checked": [_checked(c) for c in report.checked],
        "loss": plain(_fields(report.loss)) if report.loss else None,
        "cost": plain(_fields(report.cost)),
        "incomplete": list(report.incomplete),
        "notes": list(report.notes),
        "stopped_by": report.stopped_by,
    }


def render(report: Report) -> str:
    """The report as JSON text, indented by two, without a final newline."""
    return json.dumps(to_dict(report), indent=2, ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """A value of any kind as JSON takes it; arrays become lists, what JSON does not know becomes its `str`."""
    if value is None or isinstance(value, bool | str):
        return value if not isinstance(value, str) else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else _spelled(value)
    if isinstance(value, complex):
        return str(value)
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(v) for v in value), key=str)
    if hasattr(value, "tolist"):  # arrays and scalars of NumPy and its kin, without importing any of them
        listed = value.tolist()
        return plain(listed) if type(listed) is not type(value) else str(value)
    return str(value)


def _spelled(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _fields(item: Any) -> dict[str, Any]:
    return {f.name: getattr(item, f.name) for f in fields(item)}


def _finding(finding: Finding, target: str) -> dict[str, Any]:
    path, fix = finding.path, finding.fix or next(iter(finding.fixes), None)
    row = {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "message": finding.message,
        "path": wording.shown_path(path, target) if path else None,
        "line": finding.line,
        "column": finding.column,
        "end_line": finding.end_line,
        "end_column": finding.end_column,
        "label": finding.label,
        "measured": finding.measured,
        "layer": finding.layer,
        "tensors": finding.tensors,
        "affects": finding.affects,
        "step": finding.step,
        "sample": finding.sample,
        "explanations": [{"text": e.text, "status": e.status} for e in finding.explanations],
        "fix": _fix(fix, finding, target) if fix else None,
        "fixes": [_fix(f, finding, target) for f in finding.fixes],
        "help": finding.help,
        "evidence": finding.evidence,
        "related": [
            {
                "path": wording.shown_path(span.path, target),
                "line": span.line,
                "column": span.column,
                "end_line": span.end_line,
                "end_column": span.end_column,
                "label": label,
            }
            for span, label in finding.related
        ],
    }
    return {key: plain(value) for key, value in row.items()}


def _fix(fix: Fix, finding: Finding, target: str) -> dict[str, Any]:
    path = fix.path or finding.path
    return {**_fields(fix), "path": wording.shown_path(path, target) if path else None}


def _checked(row: Checked) -> dict[str, Any]:
    return {key: plain(value) for key, value in _fields(row).items()}
