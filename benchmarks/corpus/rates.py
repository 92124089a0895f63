"""Changes of an update that make a learning rate of its own for one parameter, and no wrong gradient."""

from __future__ import annotations

import ast

from programs import Program

from .mutate import Variant


def is_own_rate(program: Program, variant: Variant) -> bool:
    """Whether a variant writes nothing but a positive number into an update, beside its learning rate.

    `b -= 2 * (lr * db)` moves `b` at twice the rate of the others, and so do the optimisers' groups of parameters: the
    gradient `db` is that of the loss, which no finite difference of the loss denies. A number in the gradient's own
    statement, or a count in the place of the number, is a fault all the same.
    """
    if len(variant.edits) != 1:
        return False
    before, after = _update(variant.before), _update(variant.after)
    if before is None or after is None or before[0] != after[0]:
        return False
    was, now = before[1], after[1]
    if not {program.lr, f"-{program.lr}"} & set(was):
        return False
    added = list(now)
    for factor in was:
        if factor not in added:
            return False
        added.remove(factor)
    return len(added) == 1 and _is_number(added[0])


def _update(text: str) -> tuple[str, list[str]] | None:
    """What `x -= a * b` or `x += a * b` changes and how, and the texts of its factors."""
    try:
        [statement] = ast.parse(text).body
    except (SyntaxError, ValueError):
        return None
    if not isinstance(statement, ast.AugAssign) or not isinstance(statement.op, (ast.Add, ast.Sub)):
        return None
    return f"{ast.unparse(statement.target)} {type(statement.op).__name__}", _factors(statement.value)


def _factors(node: ast.expr) -> list[str]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and isinstance(node.right, ast.Constant):
        return [*_factors(node.left), f"1/{ast.unparse(node.right)}"]
    return [ast.unparse(node)]


def _is_number(text: str) -> bool:
    try:
        return float(text.removeprefix("1/")) > 0
    except ValueError:
        return False
