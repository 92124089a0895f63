"""Places in an edited program, told as places in the program as it stands in the user's files."""

from __future__ import annotations

import contextlib
import linecache
import os
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...edits import apply_fixes, offsets, placed, read_source
from ...finding import Finding, Fix
from ...source import Span
from .repairs import Repair


def text_of(path: str) -> str:
    """The source text of a file, or of a notebook's cell."""
    if os.path.exists(path):
        return read_source(path).text
    return "".join(linecache.getlines(path))


def edited_texts(path: str, fixes: Sequence[Fix]) -> dict[str, str]:
    """The sources with the edits, by their absolute path. Raises EditError where they do not fit."""
    return {file: apply_fixes(text_of(file), rows) for file, rows in _by_file(path, fixes).items()}


def _by_file(path: str, fixes: Sequence[Fix]) -> dict[str, list[Fix]]:
    found: dict[str, list[Fix]] = {}
    for fix in fixes:
        found.setdefault(_full(fix.path or path), []).append(fix)
    return found


def _full(path: str) -> str:
    absolute = os.path.abspath(path)
    return absolute if os.path.exists(absolute) else path


@contextlib.contextmanager
def shown(texts: Mapping[str, str]) -> Iterator[None]:
    """Lets everything that asks for the source lines of these files see the edited ones."""
    kept = {path: linecache.cache.get(path) for path in texts}
    for path, text in texts.items():
        linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    try:
        yield
    finally:
        for path, entry in kept.items():
            linecache.cache.pop(path, None)
            if entry is not None:
                linecache.cache[path] = entry


@dataclass(frozen=True, slots=True)
class _File:
    """One file: its text, the stretches that were changed (start, end, new text), and the text that made."""

    text: str
    rows: list[tuple[int, int, str]]
    edited: str


class Back:
    """The way from the text after some edits to the text before them."""

    def __init__(self, path: str, fixes: Sequence[Fix]) -> None:
        self.path = path
        self.files: dict[str, _File] = {}
        for file, rows in _by_file(path, fixes).items():
            text = text_of(file)
            places = {placed(text, fix) for fix in rows}
            self.files[file] = _File(text, sorted(places), apply_fixes(text, rows))

    def span(self, span: Span) -> Span:
        """Where a stretch of the edited text stands in the file; what an edit made stands where the edit is."""
        file = self.files.get(_full(span.path))
        if file is None:
            return span
        start = _position(file.text, _moved(file, _offset(file.edited, span.line, span.column))[0])
        end = _position(file.text, _moved(file, _offset(file.edited, span.end_line, span.end_column))[1])
        return Span(span.path, *start, *end)

    def fix(self, fix: Fix) -> Fix | None:
        """An edit of the edited text as one of the file; None where it changes what an edit has made."""
        file = self.files.get(_full(fix.path or self.path))
        if file is None:
            return fix
        start, end = offsets(file.edited, fix)
        first, last = _moved(file, start), _moved(file, end)
        if first[0] != first[1] or last[0] != last[1] or file.text[first[0] : last[0]] != file.edited[start:end]:
            return None
        line, column = _position(file.text, first[0])
        if fix.column is None:  # a new line in front of this one
            return replace(fix, line=line)
        row, stop = _position(file.text, last[0])
        return replace(fix, line=line, column=column, end_line=row, end_column=stop)

    def repair(self, repair: Repair) -> Repair | None:
        """A repair of the edited program as one of the program as it stands; None where there is no such."""
        fixes = [self.fix(f) for f in repair.fixes]
        if not all(fixes):
            return None
        others, rivals = (
            tuple(r for r in map(self.repair, rows) if r is not None) for rows in (repair.alternatives, repair.rivals)
        )
        return replace(
            repair,
            mark=self.span(repair.mark),
            statement=self.span(repair.statement),
            fixes=tuple(f for f in fixes if f is not None),
            alternatives=others,
            rivals=rivals,
        )

    def finding(self, finding: Finding) -> Finding:
        """A finding without an edit, with its place as it stands in the file."""
        places: dict[str, Any] = {"related": tuple((self.span(s), words) for s, words in finding.related)}
        if finding.span is not None:
            places["span"] = self.span(finding.span)
        return replace(finding, **places)


def _moved(file: _File, place: int) -> tuple[int, int]:
    """The offset in the file of an offset in the edited text; where an edit made it, where the edit begins and ends."""
    shift = 0
    for start, end, after in file.rows:
        if place <= start + shift:
            break
        if place < start + shift + len(after):
            return start, end
        shift += len(after) - (end - start)
    return place - shift, place - shift


def _starts(text: str) -> list[int]:
    return [0, *(k + 1 for k, c in enumerate(text) if c == "\n" or c == "\r" and text[k + 1 : k + 2] != "\n")]


def _offset(text: str, line: int, column: int) -> int:
    starts = _starts(text)
    begin = starts[line - 1]
    end = starts[line] - 1 if line < len(starts) else len(text)
    return min(begin + column - 1, max(begin, end))


def _position(text: str, offset: int) -> tuple[int, int]:
    starts = _starts(text)
    line = bisect_right(starts, offset)
    return line, offset - starts[line - 1] + 1
