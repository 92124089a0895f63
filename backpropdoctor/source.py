"""Places in the user's source text."""

from __future__ import annotations

import ast
import linecache
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of source text. Lines and columns count from 1; `end_column` is one past the last character."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int

    @property
    def text(self) -> str:
        """The source text of the span, as it stands in the file (lines joined by newlines); '' if unreadable."""
        lines = [linecache.getline(self.path, n).rstrip("\n") for n in range(self.line, self.end_line + 1)]
        if not any(lines):
            return ""
        if len(lines) == 1:
            return lines[0][self.column - 1 : self.end_column - 1]
        return "\n".join([lines[0][self.column - 1 :], *lines[1:-1], lines[-1][: self.end_column - 1]])

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"


def span_of(node: ast.AST, path: str, lines: list[str] | None = None) -> Span:
    """The span of a syntax-tree node in the file `path`.

    The tree counts columns in UTF-8 bytes; given the `lines` of the source they are turned into characters.
    """
    line, end_line = node.lineno, node.end_lineno or node.lineno  # type: ignore[attr-defined]
    start, end = node.col_offset, node.end_col_offset or node.col_offset  # type: ignore[attr-defined]
    if lines is not None:
        start = len(lines[line - 1].encode()[:start].decode(errors="replace"))
        end = len(lines[end_line - 1].encode()[:end].decode(errors="replace"))
    return Span(path, line, start + 1, end_line, end + 1)
