"""Loops of the backward pass that run over too few turns, or too many: edits of their headers.

Each statement in such a loop is right as it stands, and what a turn would make that never ran is on no tape: the edited
program is run for each of the few.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ...finding import Explanation
from ...source import Span
from ..blame import Blame, Root
from ..causes import cause_of
from .candidates_indices import shifted
from .expression import Text
from .repairs import Repair

_KIND = "wrong-turns"
_COUNTED = {"range", "arange"}
_MOST = 12  # headers that are tried for one root


def turned(blame: Blame, root: Root) -> Iterator[Repair]:
    """The loops around what is wrong because of a root, the innermost first, over other turns."""
    count = 0
    for text, loop in _loops(blame, root):
        for old, now in _headers(text, loop.iter):
            if count == _MOST:
                return
            count += 1
            yield _repair(root, text, loop, old, now)


def _loops(blame: Blame, root: Root) -> Iterator[tuple[Text, ast.For]]:
    """The loops that make gradients and no value of the forward pass: first those of the wrong gradients, then the others'."""
    forward = {place for i in blame.cotangents.forward for place in _lines(blame, i)}
    known: set[tuple[str, int]] = set()
    for path, line in _places(blame, root):
        text = Text(root.site.statement, path)
        for loop in _around(text, line):
            body = range(loop.body[0].lineno, (loop.end_lineno or loop.lineno) + 1)
            if (path, loop.lineno) not in known and not any((path, k) in forward for k in body):
                known.add((path, loop.lineno))
                yield text, loop


def _places(blame: Blame, root: Root) -> Iterator[tuple[str, int]]:
    """Where the wrong gradients are made, where the root is, and where the other gradients are made."""
    measured = sorted(blame.check.measured, key=lambda m: m.held.tensor.name not in root.affects)
    made = [(m, g) for m in measured for g in m.held.claim.gradient_nodes]
    wrong = [g for m, g in made if m.held.tensor.name in root.affects]
    seen: dict[tuple[str, int], None] = {}
    for i in [*wrong, root.node, *(g for _, g in made)]:
        seen.update(dict.fromkeys(_lines(blame, i)))
    yield from seen


def _lines(blame: Blame, node: int) -> Iterator[tuple[str, int]]:
    """The line on which a value is made, and those of the calls that led there."""
    site, scope = blame.nodes[node].site, blame.replay.tape.scopes.get(blame.nodes[node].scope)
    if site is not None:
        yield site.span.path, site.statement.lineno
    while scope is not None:
        if scope.call is not None:
            yield scope.call.span.path, scope.call.statement.lineno
        scope = blame.replay.tape.scopes.get(scope.parent) if scope.parent is not None else None


def _around(text: Text, line: int) -> list[ast.For]:
    """The loops around a line in its function, the innermost first."""
    found: list[ast.For] = []
    try:
        level: list[ast.AST] = [ast.parse("\n".join(text.lines))]
    except SyntaxError:
        return []
    while level:
        inner = [n for n in ast.iter_child_nodes(level.pop()) if getattr(n, "lineno", line + 1) <= line <= (n.end_lineno or 0)]  # type: ignore[attr-defined]
        for node in inner:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found.clear()
            elif isinstance(node, ast.For) and node.lineno < line:
                found.insert(0, node)
        level += inner
    return found


def _headers(text: Text, header: ast.expr) -> Iterator[tuple[ast.AST, str]]:
    """The parts of a loop's header that say where it begins and ends, each with what may stand there instead."""
    for node in ast.walk(header):
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in _COUNTED:
            for k, bound in enumerate(node.args[:2]):
                yield from ((bound, now) for now in _moved(bound, text.of(bound)))
                if k == 0 and len(node.args) > 1 and not isinstance(bound, ast.Constant):
                    yield bound, "0"
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
            for end in (node.slice.lower, node.slice.upper):
                if end is not None:
                    yield end, ""
                    yield from ((end, now) for now in _moved(end, text.of(end)))


def _moved(bound: ast.expr, text: str) -> list[str]:
    """A bound one up and one down."""
    return [f"{text} + 1", f"{text} - 1"] if isinstance(bound, (ast.Call, ast.Attribute)) else shifted(bound, text)


def _repair(root: Root, text: Text, loop: ast.For, old: ast.AST, now: str) -> Repair:
    was, mark = text.of(loop.iter), text.span(old)
    fix, whole = text.fix(old, now), text.span(loop.iter)
    offset = mark.column - whole.column if mark.line == whole.line else was.index(fix.before)
    header = was[:offset] + now + was[offset + len(fix.before) :]
    cause = cause_of(_KIND, {"was": was, "now": header}, "`, `".join(root.affects), fix.before, now)
    start = text.span(loop)
    return Repair(
        code=cause.code,
        kind=_KIND,
        message=cause.message,
        label=cause.label,
        mark=mark,
        statement=Span(start.path, start.line, start.column, whole.end_line, whole.end_column),
        advice=cause.advice,
        fixes=(fix,),
        explanations=(Explanation(cause.message, "verified"),),
        right=frozenset(root.affects),
        status="verified",
        evidence={"mistake": _KIND, "cost": 1.0, "right": sorted(root.affects)},
    )
