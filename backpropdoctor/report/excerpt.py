"""Source lines with marks under them, aligned on a terminal whatever the line holds."""

from __future__ import annotations

import linecache
import textwrap
import unicodedata
from dataclasses import dataclass

from ..source import Span

TAB = "    "
_MOST_LINES = 6  # a longer span shows its first four and its last line
_SPOKEN = {
    "·": "*", "×": "x", "−": "-", "–": "-", "—": "-", "…": "...", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~", "→": "->",
    "ᵀ": "^T", "∇": "grad ", "∂": "d", "⟨": "<", "⟩": ">", "∞": "inf", "±": "+-", "‖": "||", "√": "sqrt", "Δ": "delta ",
    "²": "^2", "³": "^3", "½": "1/2", "‘": "'", "’": "'", "“": '"', "”": '"', "\N{NO-BREAK SPACE}": " ",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an excerpt: the line number (None beside a mark), the text, and whether the text is a mark."""

    line: int | None
    text: str
    mark: bool = False


def visible(character: str, ascii: bool = False) -> str:  # noqa: A002
    """What stands for one character of a source line or message: no control character reaches the terminal."""
    if character == "\t":
        return TAB
    if unicodedata.category(character) in ("Cc", "Cs") or character in "\u2028\u2029" or _is_direction(character):
        return character.encode("unicode_escape").decode()
    if ascii and not character.isascii():
        return _SPOKEN.get(character) or character.encode("ascii", "backslashreplace").decode()
    return character


def plain(text: str, ascii: bool = False) -> str:  # noqa: A002
    """A text for the terminal: control characters made visible, and in ASCII only where asked."""
    return "".join(visible(c, ascii) for c in text)


def width_of(text: str) -> int:
    """How many columns a text takes on a terminal: two for wide characters, none for combining ones."""
    return sum(_width(c) for c in text)


def source_of(span: Span) -> list[tuple[int, str]]:
    """The lines of the span as they stand in the file, with their numbers; [] where the file cannot be read."""
    lines = [(n, linecache.getline(span.path, n).rstrip("\r\n")) for n in range(span.line, span.end_line + 1)]
    return lines if any(text for _, text in lines) else []


def excerpt(
    span: Span,
    label: str = "",
    *,
    sign: str = "^",
    ascii: bool = False,  # noqa: A002
    width: int | None = None,
) -> list[Row]:
    """The rows that show a span with `sign` under it and the label beside the sign; [] where the source is unknown."""
    lines = source_of(span)
    if not lines:
        return []
    label = plain(label, ascii)
    if len(lines) > 1:
        return _several(lines, span, label, sign, ascii, width)
    number, text = lines[0]
    start = width_of(plain(text[: span.column - 1], ascii))
    stop = max(start + 1, width_of(plain(text[: span.end_column - 1], ascii)))
    shown, start, stop = _window(plain(text, ascii).rstrip(), start, stop, width)
    mark = " " * start + sign * (stop - start)
    if not label or not width or width_of(f"{mark} {label}") <= width:
        return [Row(number, shown), Row(None, f"{mark} {label}".rstrip(), True)]
    return [Row(number, shown), Row(None, mark, True), *_beneath(label, start, width)]


def _beneath(label: str, start: int, width: int) -> list[Row]:
    """A label that has no room beside its mark: under it, as far to the left as it takes."""
    at = max(0, min(start, width - width_of(label)))
    lines = [label] if at else textwrap.wrap(label, max(width, 20), break_long_words=False, break_on_hyphens=False)
    return [Row(None, " " * at + line, True) for line in lines]


def _several(
    lines: list[tuple[int, str]],
    span: Span,
    label: str,
    sign: str,
    ascii: bool,  # noqa: A002
    width: int | None,
) -> list[Row]:
    """A span over several lines: a bar at its left, and the sign under its last character."""
    last = width_of(plain(lines[-1][1][: span.end_column - 1], ascii))
    last = min(last, width - 3) if width else last
    shown = lines if len(lines) <= _MOST_LINES else [*lines[:4], (None, "..."), lines[-1]]
    rows = []
    for k, (number, text) in enumerate(shown):
        text = _window(plain(text, ascii).rstrip(), 0, 1, width - 2 if width else None)[0]
        rows.append(Row(number, f"{'/' if k == 0 else '|'} {text}"))
    rows.append(Row(None, "|" + "_" * max(last, 1) + sign + (f" {label}" if label else ""), True))
    return rows


def _window(text: str, start: int, stop: int, width: int | None) -> tuple[str, int, int]:
    """The part of a line too long for the width that holds the marked columns, with '...' where it is cut."""
    if not width or width_of(text) <= width or width < 20:
        return text, start, stop
    first = 0 if stop <= width - 3 else max(0, start - width // 4)
    lead, room = "..." if first else "", width - (6 if first else 3)
    kept: list[str] = []
    column, begin = 0, first
    for character in text:
        end = column + _width(character)
        if first <= column and end <= first + room:
            begin = begin if kept else column
            kept.append(character)
        column = end
    tail = "..." if first + room < column else ""
    shift = len(lead) - begin
    return lead + "".join(kept) + tail, max(start + shift, 0), min(max(stop + shift, start + shift + 1), width)


def _width(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_direction(character: str) -> bool:
    """Bidirectional controls can make a line read otherwise than it runs (CVE-2021-42574)."""
    return character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
