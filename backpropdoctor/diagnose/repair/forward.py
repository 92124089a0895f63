"""Faults of the forward pass that the backward pass does not share: a softmax over the batch, a mean over the wrong axis.

Each edit changes the loss, so that nothing recorded can be used again: the edited program is run for each of the few.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ...finding import Fix
from ...source import Span
from ..blame import Blame
from .expression import Text

_MOST = 12
_CALLS = {"sum", "mean", "max", "amax", "min", "amin", "std", "var", "softmax", "norm", "argmax", "logsumexp", "prod"}


@dataclass(frozen=True, slots=True)
class ForwardEdit:
    """Edits of one forward statement (or of a whole function with one axis throughout)."""

    fixes: tuple[Fix, ...]
    name: str
    was: str
    now: str
    statement: Span
    mark: Span


def forward_edits(blame: Blame) -> Iterator[ForwardEdit]:
    """Every axis of the forward pass exchanged for another: alone, and with all others of the same function."""
    seen: set[tuple[str, int]] = set()
    functions: dict[tuple[str, str], list[ForwardEdit]] = {}
    loss = blame.training.loss
    count = 0
    for i in sorted(loss.nodes if loss is not None else ()):
        site = blame.nodes[i].site
        if site is None or (site.span.path, site.statement.lineno) in seen:
            continue
        seen.add((site.span.path, site.statement.lineno))
        for edit in _of(site.statement, site.span.path, site.function):
            functions.setdefault((site.span.path, site.function), []).append(edit)
            count += 1
            if count <= _MOST:
                yield edit
    for rows in functions.values():
        if 1 < len(rows) <= 4:
            fixes = tuple(f for r in rows for f in r.fixes)
            first = rows[0]
            yield ForwardEdit(fixes, first.name, first.was, first.now, first.statement, first.mark)


def _of(statement: ast.stmt, path: str, function: str) -> Iterator[ForwardEdit]:
    text = Text(statement, path)
    edits = []
    for node in ast.walk(statement):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for value in _axes(node, name):
            for new in ("0", "1", "-1", "2"):
                if new != ast.unparse(value) and {new, ast.unparse(value)} != {"1", "-1"}:
                    edits.append((text.fix(value, new), value, new))
    target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", statement)
    name = f"{function}()" if isinstance(statement, ast.Return) else ast.unparse(target).splitlines()[0]
    for fix, value, new in edits:
        was = ast.unparse(value)
        yield ForwardEdit((fix,), name, f"axis={was}", f"axis={new}", text.span(statement), text.span(value))


def _axes(node: ast.Call, name: str) -> Iterator[ast.expr]:
    for keyword in node.keywords:
        if keyword.arg in ("axis", "dim") and isinstance(keyword.value, (ast.Constant, ast.UnaryOp)):
            if ast.unparse(keyword.value) != "None":
                yield keyword.value
    if name in _CALLS and node.args and isinstance(node.args[-1], ast.Constant) and type(node.args[-1].value) is int:
        yield node.args[-1]


def first_that(fits: Callable[[tuple[Fix, ...]], bool], blame: Blame) -> ForwardEdit | None:
    """The first forward edit under which all gradients are right."""
    for edit in forward_edits(blame):
        if fits(edit.fixes):
            return edit
    return None
