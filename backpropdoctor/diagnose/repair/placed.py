"""Right values that are put where another one belongs: edits of the index at which a statement puts them.

Such an edit makes no value another one, so that nothing can be worked out: the edited program is run for each of the few.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ...finding import Explanation
from ..blame import Blame, Root
from ..causes import cause_of
from .candidates_indices import shifted
from .expression import Text
from .repairs import Repair

_KIND = "wrong-index"


def placed(blame: Blame, root: Root) -> Iterator[Repair]:
    """The neighbouring places for what a statement only puts somewhere; none for what it makes itself."""
    statement, made = root.site.statement, blame.nodes[root.node].site
    target = statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
    if not isinstance(target, ast.Subscript) or made is None or made.statement is statement and not _only_reads(statement):
        return
    text = Text(statement, root.span.path)
    was = text.of(target.slice)
    for now in (*shifted(target.slice, was), *_by_strides(text, target.slice)):
        cause = cause_of(_KIND, {"was": was, "now": now, "put": True}, ast.unparse(target.value), was, now)
        yield Repair(
            code=cause.code,
            kind=_KIND,
            message=cause.message,
            label=cause.label,
            mark=text.span(target.slice),
            statement=text.span(statement),
            advice=cause.advice,
            fixes=(text.fix(target.slice, now),),
            explanations=(Explanation(f"{cause.message}: `{was}` -> `{now}`", "verified"),),
            right=frozenset(root.affects),
            status="verified",
            evidence={"mistake": _KIND, "cost": 1.0, "right": sorted(root.affects)},
        )


def _only_reads(statement: ast.stmt) -> bool:
    """Whether what a statement puts somewhere is an element of something, as it stands there."""
    return isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Subscript)


def _by_strides(text: Text, index: ast.expr) -> Iterator[str]:
    """Several indices with the strides that other indices of the program have: `i * 2 + a, j * 2 + b` for `i + a, j + b`."""
    if not isinstance(index, ast.Tuple):
        return
    keys = [n.slice for n in ast.walk(ast.parse("\n".join(text.lines))) if isinstance(n, ast.Subscript)]
    strides = _Strides({name: node for key in keys for name, node in _products(key)})
    now = ", ".join(ast.unparse(strides.visit(ast.parse(ast.unparse(e), mode="eval").body)) for e in index.elts)
    if now != ", ".join(map(ast.unparse, index.elts)):
        yield now


def _products(key: ast.expr) -> Iterator[tuple[str, ast.BinOp]]:
    for node in ast.walk(key):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            sides = [node.left, node.right]
            names = [n.id for n in sides if isinstance(n, ast.Name)]
            if names:
                yield names[0], node


class _Strides(ast.NodeTransformer):
    """Names by the products that they stand in elsewhere; those in a product already stay."""

    def __init__(self, known: dict[str, ast.BinOp]) -> None:
        self.known = known

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        return node if isinstance(node.op, ast.Mult) else self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self.known.get(node.id, node)
