"""Small expressions of the user's program, evaluated again on values that are known: `range(1, L - 1)`, `epoch > 10`.

Only what cannot have an effect is evaluated: names, numbers, arithmetic, comparisons, look-ups, and `len`, `range`
and such.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

SAFE_CALLS: dict[str, Callable[..., Any]] = {
    f.__name__: f  # type: ignore[attr-defined]
    for f in (
        len,
        range,
        reversed,
        abs,
        min,
        max,
        int,
        float,
        round,
        bool,
        isinstance,
        sorted,
        enumerate,
        zip,
        list,
        tuple,
    )
}
_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
}  # fmt: skip
_COMPARE: dict[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}  # fmt: skip
_PLAIN = (int, float, complex, str, bool, type(None), list, tuple, dict, set, range, np.ndarray, np.generic)


class Unknown(Exception):
    """The expression holds something that is not evaluated here."""


def evaluate(node: ast.expr, values: Mapping[str, Any]) -> Any:
    """The value of an expression where `values` are the names; raises Unknown, or what the expression itself raises."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return _name(node, values)
    if isinstance(node, ast.Attribute):
        return _attribute(evaluate(node.value, values), node.attr)
    if isinstance(node, ast.Subscript):
        held: Any = evaluate(node.value, values)
        if not isinstance(held, _PLAIN):
            raise Unknown
        return operator.getitem(held, evaluate(node.slice, values))  # type: ignore[call-overload,arg-type]
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _BINARY[type(node.op)](evaluate(node.left, values), evaluate(node.right, values))
    if isinstance(node, (ast.Tuple, ast.List)):
        made = [evaluate(e, values) for e in node.elts]
        return tuple(made) if isinstance(node, ast.Tuple) else made
    return _rest(node, values)


def _rest(node: ast.expr, values: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.UnaryOp):
        held = evaluate(node.operand, values)
        if isinstance(node.op, ast.Not):
            return not held
        return -held if isinstance(node.op, ast.USub) else held
    if isinstance(node, ast.Compare):
        left = evaluate(node.left, values)
        for op, right_node in zip(node.ops, node.comparators, strict=True):
            right = evaluate(right_node, values)
            if not _COMPARE[type(op)](left, right):
                return False
            left = right
        return True
    if isinstance(node, ast.BoolOp):
        held = isinstance(node.op, ast.And)
        for part in node.values:
            held = evaluate(part, values)
            if bool(held) != isinstance(node.op, ast.And):
                return held
        return held
    if isinstance(node, ast.IfExp):
        return evaluate(node.body if evaluate(node.test, values) else node.orelse, values)
    if isinstance(node, ast.JoinedStr):
        return "".join(_formatted(v, values) for v in node.values)
    if isinstance(node, ast.Call):
        return _call(node, values)
    raise Unknown


def _name(node: ast.Name, values: Mapping[str, Any]) -> Any:
    if node.id in values:
        return values[node.id]
    if node.id in SAFE_CALLS:
        return SAFE_CALLS[node.id]
    raise Unknown(node.id)


def _attribute(owner: Any, name: str) -> Any:
    held = vars(owner) if hasattr(owner, "__dict__") and not isinstance(owner, type) else {}
    if name in held:
        return held[name]
    if isinstance(owner, (np.ndarray, np.generic)) and name in ("shape", "size", "ndim", "T"):
        return getattr(owner, name)
    raise Unknown(name)


def _formatted(node: ast.expr, values: Mapping[str, Any]) -> str:
    if isinstance(node, ast.FormattedValue):
        if node.format_spec is not None or node.conversion != -1:
            raise Unknown
        return str(evaluate(node.value, values))
    return str(evaluate(node, values))


def _call(node: ast.Call, values: Mapping[str, Any]) -> Any:
    if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
        raise Unknown
    args = [evaluate(a, values) for a in node.args]
    if isinstance(node.func, ast.Name):
        known = SAFE_CALLS.get(node.func.id)
        if node.func.id == "str" and "str" not in values and all(isinstance(a, _PLAIN) for a in args):
            return str(*args)
        if known is None or values.get(node.func.id, known) is not known:
            raise Unknown
        if not all(
            isinstance(a, (*_PLAIN, reversed, enumerate, zip, type)) or type(a).__name__.endswith("iterator") for a in args
        ):
            raise Unknown
        return known(*args)
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("keys", "values", "items", "get", "format", "copy"):
        owner = evaluate(node.func.value, values)
        if isinstance(owner, (dict, str)) and hasattr(owner, node.func.attr):
            return getattr(owner, node.func.attr)(*args)
    raise Unknown


def attempt(node: ast.expr, values: Mapping[str, Any]) -> Any:
    """`evaluate`, or Unknown itself where it cannot be done."""
    try:
        return evaluate(node, values)
    except Exception:
        return Unknown


def count(iterable: Any) -> int | None:
    """How many items an iterable has; None where that is unknown. A `range` reversed, zipped or numbered is counted
    too."""
    if iterable is Unknown:
        return None
    if isinstance(iterable, np.ndarray):
        return len(iterable) if iterable.ndim else None
    if isinstance(iterable, (range, list, tuple, dict, set, str)) or type(iterable).__name__ == "range_iterator":
        return operator.length_hint(iterable, -1)
    if isinstance(iterable, reversed):
        return operator.length_hint(iterable, -1)
    if type(iterable).__name__ in ("dict_keys", "dict_values", "dict_items"):
        return len(iterable)
    if isinstance(iterable, zip):
        return sum(1 for _ in iterable)
    if isinstance(iterable, enumerate):
        return sum(1 for _ in iterable)
    return None


def spoken(node: ast.expr, values: Mapping[str, Any]) -> str:
    """The names an expression uses with their values, and its innermost `range` evaluated: 'range(1, 1), L = 2'."""
    parts = []
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range":
            made = attempt(call, values)
            if isinstance(made, range):
                parts.append(repr(made))
    seen: list[str] = []
    for name in ast.walk(node):
        if isinstance(name, (ast.Name, ast.Attribute)) and ast.unparse(name) not in seen:
            value = attempt(name, values)
            if isinstance(value, (int, float, str, np.number, bool, type(None))) and len(str(value)) < 40:
                seen.append(ast.unparse(name))
                parts.append(f"{seen[-1]} = {value!r}" if not isinstance(value, np.number) else f"{seen[-1]} = {value}")
            elif isinstance(value, (list, tuple, dict, set)) and not value:
                seen.append(ast.unparse(name))
                parts.append(f"{seen[-1]} is empty")
    return ", ".join(parts)
