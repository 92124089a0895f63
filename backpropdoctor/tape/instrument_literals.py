"""What is written out in the source: numbers, lists of them, docstrings."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

BINARY: dict[type[ast.operator], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.MatMult: operator.matmul,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.BitAnd: operator.and_,
}
UNARY: dict[type[ast.unaryop], Callable[..., Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}


def number(node: ast.expr) -> bool:
    """Whether an expression is a number written out, possibly with a sign or as arithmetic of such."""
    if isinstance(node, ast.Constant):
        return type(node.value) in (int, float, complex)
    if isinstance(node, ast.UnaryOp):
        return type(node.op) in (ast.USub, ast.UAdd) and number(node.operand)
    return isinstance(node, ast.BinOp) and number(node.left) and number(node.right)


def number_value(node: ast.expr) -> Any:
    """The value of a written-out number; None where it has none (1/0, a huge power)."""
    if isinstance(node, ast.Constant):
        return node.value
    try:
        if isinstance(node, ast.UnaryOp):
            return UNARY[type(node.op)](number_value(node.operand))
        assert isinstance(node, ast.BinOp)
        left, right = number_value(node.left), number_value(node.right)
        if isinstance(node.op, (ast.Pow, ast.LShift)) and (abs(right) > 100 or abs(left) > 1e6):
            return None
        return BINARY[type(node.op)](left, right)
    except (ArithmeticError, TypeError, ValueError):
        return None


def literal(node: ast.expr) -> bool:
    """Whether the value of an operand is known from the source alone."""
    if isinstance(node, ast.Constant):
        return True
    return number(node) and number_value(node) is not None


def literal_value(node: ast.expr) -> Any:
    """The value of a `literal` expression."""
    return node.value if isinstance(node, ast.Constant) else number_value(node)


def split_docstring(body: list[ast.stmt]) -> tuple[list[ast.stmt], list[ast.stmt]]:
    """A docstring, if there is one, and the rest."""
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return body[:1], body[1:]
    return [], body


def shared_float(node: ast.expr) -> bool:
    """Whether an expression puts one and the same literal into several places: `[0.0] * n`, `dict.fromkeys(keys, 0.0)`."""
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Mult) and float_list(node)
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "fromkeys"):
        return False
    return len(node.args) == 2 and literal(node.args[1]) and isinstance(literal_value(node.args[1]), float)


def float_list(node: ast.BinOp) -> bool:
    return any(
        isinstance(side, ast.List) and any(isinstance(literal_value(e), float) for e in side.elts if literal(e))
        for side in (node.left, node.right)
    )
