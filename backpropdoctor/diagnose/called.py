"""What the user calls a value that has no variable: the entry that it becomes, the lambda or the function that makes it."""

from __future__ import annotations

import ast
from collections.abc import Iterator


def name_of_place(statement: ast.stmt, node: ast.AST | None, function: str = "") -> str | None:
    """The name for what a part of a statement makes; None where only the source text tells.

    `function` is the name of the function that the statement stands in.
    """
    entry = None if node is None else _entry(statement, node)
    if entry is not None:
        return entry
    if (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Call)
        and isinstance(statement.value.func, ast.Attribute)
    ):
        return ast.unparse(statement.value.func.value) if statement.value.func.attr in ("append", "insert") else None
    name = function.rpartition(".")[2]
    return f"{name}()" if isinstance(statement, ast.Return) and name and not name.startswith("<") else None


def lambda_name(tree: ast.AST, body: ast.expr) -> str | None:
    """What a lambda is bound to, else how it begins, by its body in a tree of the same source; None where it is none's."""
    for parent in ast.walk(tree):
        for child in ast.iter_child_nodes(parent):
            if isinstance(child, ast.Lambda) and _place(child.body) == _place(body):
                return _bound(parent, child) or f"lambda {ast.unparse(child.args)}".strip()
    return None


def lambda_around(statement: ast.stmt, node: ast.AST) -> str | None:
    """The name of the innermost lambda of a statement whose body a node is part of."""
    around = [n for n in ast.walk(statement) if isinstance(n, ast.Lambda) and any(c is node for c in ast.walk(n.body))]
    return lambda_name(statement, around[-1].body) if around else None


def _bound(parent: ast.AST, child: ast.Lambda) -> str | None:
    if isinstance(parent, ast.Assign) and parent.value is child:
        return ast.unparse(parent.targets[0])
    return parent.arg if isinstance(parent, ast.keyword) else None


def _entry(statement: ast.stmt, node: ast.AST) -> str | None:
    """The keyword of the argument, or the key of the entry, that is computed from a node."""
    for name, value in _entries(statement):
        computed = any(isinstance(n, (ast.BinOp, ast.Call)) for n in ast.walk(value))
        if computed and any(n is node for n in ast.walk(value)):
            return name
    return None


def _entries(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """The named parts of a statement, the outermost first."""
    target = ast.unparse(statement.targets[0]) if isinstance(statement, ast.Assign) else ""
    for n in ast.walk(statement):
        if isinstance(n, ast.Call):
            yield from ((k.arg, k.value) for k in n.keywords if k.arg)
        elif isinstance(n, ast.Dict):
            keys = [(ast.unparse(k), v) for k, v in zip(n.keys, n.values, strict=True) if isinstance(k, ast.Constant)]
            yield from ((f"{target}[{k}]" if target else k, v) for k, v in keys)


def _place(node: ast.expr) -> tuple[int, int, int | None]:
    return node.lineno, node.col_offset, node.end_col_offset
