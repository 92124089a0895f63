"""The smallest stretch of an edited text that is wrong."""

from __future__ import annotations

import io
import tokenize

from ...source import Span


def smallest(span: Span, before: str, after: str) -> Span:
    """The part of `span` (whose text is `before`) that the edit to `after` touches; all of it where it only adds."""
    if span.line != span.end_line:
        return span
    old, new = _tokens(before), _tokens(after)
    head = 0
    while head < min(len(old), len(new)) and old[head][0] == new[head][0]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail][0] == new[-1 - tail][0]:
        tail += 1
    middle = old[head : len(old) - tail]
    while len(middle) > 1 and middle[-1][0] in ("*", "/", "+", "@", ","):
        middle.pop()
    while len(middle) > 1 and middle[0][0] in ("*", "/", "+", "@", ",", "."):
        middle.pop(0)
    if not middle or not _balanced([t for t, _, _ in middle]):
        return span
    start, end = middle[0][1], middle[-1][2]
    return Span(span.path, span.line, span.column + start, span.line, span.column + end)


def _balanced(tokens: list[str]) -> bool:
    depth = 0
    for t in tokens:
        depth += (t in "([{") - (t in ")]}") if len(t) == 1 else 0
        if depth < 0:
            return False
    return depth == 0


def _tokens(text: str) -> list[tuple[str, int, int]]:
    try:
        rows = tokenize.generate_tokens(io.StringIO(text).readline)
        return [(t.string, t.start[1], t.end[1]) for t in rows if t.string.strip()]
    except (tokenize.TokenError, IndentationError):
        return [(text, 0, len(text))]
