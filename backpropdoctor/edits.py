"""Applying the edits of findings to source text: pure functions, text in and text out."""

from __future__ import annotations

import difflib
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass

from .errors import BackpropDoctorError
from .finding import Fix

# Python ends a line at these three only; str.splitlines would also split at form feeds and U+2028
_NEWLINE = re.compile(r"\r\n|\r|\n")


class EditError(BackpropDoctorError):
    """A fix does not fit the source: the text is not there, is there twice, or two fixes overlap."""


def offsets(source: str, fix: Fix) -> tuple[int, int]:
    """Where `fix.before` stands in `source`, as the offsets of its first and one past its last character.

    Without a column the text is looked for on its line, where it must stand exactly once. An empty `before` without a
    column means a new line in front of `fix.line`. Raises EditError where the text does not stand there.
    """
    starts = [0, *(m.end() for m in _NEWLINE.finditer(source))]
    if not 1 <= fix.line <= len(starts):
        raise EditError(f"line {fix.line} does not exist")
    start = starts[fix.line - 1]
    end = starts[fix.line] if fix.line < len(starts) else len(source)
    before = _with_newlines_of(source, fix.before)
    if fix.column is not None:
        start += fix.column - 1
        if not source.startswith(before, start):
            raise EditError(f"line {fix.line} does not read `{fix.before}` at column {fix.column}")
        return start, start + len(before)
    if not before:
        return start, start
    places = [k for k in range(start, end) if source.startswith(before, k)]
    if len(places) != 1:
        many = "not" if not places else f"{len(places)} times"
        raise EditError(f"`{fix.before}` stands {many} on line {fix.line}")
    return places[0], places[0] + len(before)


def apply_fixes(source: str, fixes: Iterable[Fix]) -> str:
    """The source after all the edits; the same edit given twice is made once.

    Raises EditError where an edit does not fit or two of them overlap.
    """
    edits = sorted({placed(source, fix) for fix in fixes})
    for (_, end, left), (start, _, right) in zip(edits, edits[1:], strict=False):
        if start < end:
            raise EditError(f"the edits to `{left}` and to `{right}` overlap")
    for start, end, after in reversed(edits):
        source = source[:start] + after + source[end:]
    return source


def fitting(source: str, fixes: Iterable[Fix]) -> tuple[list[Fix], list[tuple[Fix, str]]]:
    """The fixes that can be made together, in the order given, and the others, each with the reason in words."""
    kept: list[Fix] = []
    left: list[tuple[Fix, str]] = []
    for fix in fixes:
        try:
            apply_fixes(source, [*kept, fix])
        except EditError as error:
            left.append((fix, str(error)))
        else:
            kept.append(fix)
    return kept, left


def unified(path: str, source: str, fixes: Iterable[Fix]) -> str:
    """The edits as a unified diff that `patch -p0` and `git apply -p0` take; '' if nothing changes."""
    after = apply_fixes(source, fixes)
    rows: list[str] = []
    for row in difflib.unified_diff(_lines(source), _lines(after), path, path):
        rows.append(row if row.endswith("\n") else row + "\n\\ No newline at end of file\n")
    return "".join(rows)


def changed_lines(source: str, fix: Fix) -> tuple[list[str], list[str]]:
    """The whole lines one fix touches, as they read before and after it, without their newlines."""
    start, end = offsets(source, fix)
    after = placed(source, fix)[2]
    first = max(source.rfind("\n", 0, start), source.rfind("\r", 0, start)) + 1
    if not fix.before and fix.column is None:
        return [], _NEWLINE.split(after.rstrip("\r\n"))
    stop = _NEWLINE.search(source, end)
    last = stop.start() if stop else len(source)
    return (
        _NEWLINE.split(source[first:last]),
        [row for row in _NEWLINE.split(source[first:start] + after + source[end:last]) if row.strip()],
    )


def placed(source: str, fix: Fix) -> tuple[int, int, str]:
    """Where an edit begins and ends, as offsets, and the text that it puts there. Raises EditError as `offsets` does."""
    after = _with_newlines_of(source, fix.after)
    if not fix.before and fix.column is None and not _NEWLINE.search(after[-1:]):
        after += _with_newlines_of(source, "\n")
    return (*offsets(source, fix), after)


def _with_newlines_of(source: str, text: str) -> str:
    kind = _NEWLINE.search(source)
    return _NEWLINE.sub(kind.group(), text) if kind else text


def _lines(text: str) -> list[str]:
    ends = [m.end() for m in _NEWLINE.finditer(text)]
    cuts = [0, *ends] if not ends or ends[-1] == len(text) else [0, *ends, len(text)]
    if not ends and text:
        cuts = [0, len(text)]
    return [text[a:b] for a, b in zip(cuts, cuts[1:], strict=False)]


@dataclass(frozen=True, slots=True)
class Source:
    """A source file's text, newlines as they stand in the file, with the encoding it declares."""

    text: str
    encoding: str

    def encode(self, text: str) -> bytes:
        """Another text as bytes, in the encoding of this file."""
        return text.encode(self.encoding)


def read_source(path: str) -> Source:
    """The source file at `path`, decoded as Python decodes it (PEP 263), its newlines left alone."""
    with open(path, "rb") as file:
        encoding, _ = tokenize.detect_encoding(file.readline)
        file.seek(0)
        return Source(file.read().decode(encoding), encoding)
