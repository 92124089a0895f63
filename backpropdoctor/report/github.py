"""The findings as GitHub Actions workflow commands: one line each, which GitHub shows at its place in the source.

Format and escaping: docs.github.com, "Workflow commands for GitHub Actions", and `actions/toolkit`, `command.ts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..finding import Finding
from . import wording

if TYPE_CHECKING:
    from .report import Report

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def render(report: Report) -> str:
    """One command a finding, one for what was not measured, and the last line as plain text."""
    lines = [_command(f, report.target) for f in wording.ordered(report.findings)]
    for text in [*report.incomplete, *([f"stopped: {report.stopped_by}"] if report.stopped_by else [])]:
        lines.append(f"::warning file={_property(report.target)},title=not measured::{_data(text)}")
    # the last line goes to the log; a line of its own must not be read as a command
    return "\n".join([*lines, _data(wording.summary(report))])


def _command(finding: Finding, target: str) -> str:
    properties: dict[str, str] = {}
    if span := finding.span:
        properties["file"] = wording.shown_path(span.path, target)
        properties |= {"line": str(span.line), "endLine": str(span.end_line)}
        if span.line == span.end_line:  # GitHub ignores columns of an annotation over several lines
            properties |= {"col": str(span.column), "endColumn": str(span.end_column)}
    properties["title"] = f"{finding.code} {finding.name}"
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    facts = [f"{head}: {text}" for head, text in wording.facts(finding)]
    advice = wording.advice(finding)
    lines = [finding.message, *facts, *([f"help: {advice}"] if advice else [])]
    return f"::{_COMMANDS[finding.severity]} {listed}::{_data(chr(10).join(lines))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
