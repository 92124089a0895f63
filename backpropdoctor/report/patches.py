"""The edits of a report's findings, file by file: as a unified diff, and as the bytes of the edited file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..edits import Source, apply_fixes, fitting, read_source, unified
from ..finding import Fix
from .wording import shown_path

if TYPE_CHECKING:
    from .report import Report


@dataclass(frozen=True, slots=True)
class Patch:
    """The edits of one file: those that can be made together, and a sentence for each that is left out."""

    path: str
    source: Source
    kept: list[Fix]
    left: list[str]

    def content(self) -> bytes:
        """The edited file, in its own encoding and with its own line ends."""
        return self.source.encode(apply_fixes(self.source.text, self.kept))


def patches(report: Report) -> list[Patch]:
    """One patch for every file on disk that the findings have edits for, in the order of the findings."""
    wanted: dict[str, list[Fix]] = {}
    for finding in report.findings:
        for fix in finding.fixes or ((finding.fix,) if finding.fix else ()):
            if path := fix.path or finding.path:
                wanted.setdefault(path, []).append(fix)
    rows = []
    for path, fixes in wanted.items():
        if os.path.isfile(path):
            source = read_source(path)
            kept, left = fitting(source.text, fixes)
            rows.append(Patch(path, source, kept, [f"not made: line {fix.line}: {why}" for fix, why in left]))
    return rows


def diff(report: Report) -> tuple[str, list[str]]:
    """The unified diff of all edits, and a sentence for each edit that is left out."""
    rows = patches(report)
    texts = [unified(shown_path(p.path, report.target), p.source.text, p.kept) for p in rows]
    return "".join(texts), [line for p in rows for line in p.left]
