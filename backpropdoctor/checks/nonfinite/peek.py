"""Evaluate a piece of the user's source in a frame without side effects, or refuse.

Only names, attributes, subscripts of arrays and plain containers, arithmetic, and calls of NumPy's pure functions, pure
array methods and `math` are evaluated; calls of the user's own functions are not.
"""

from __future__ import annotations

import ast
import inspect
import math
import operator
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from .values import as_numbers, shown


class CannotPeek(Exception):
    """The expression cannot be evaluated without running the user's code."""


_BINARY: dict[type[ast.AST], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("add", operator.add),
    ast.Sub: ("subtract", operator.sub),
    ast.Mult: ("multiply", operator.mul),
    ast.Div: ("divide", operator.truediv),
    ast.FloorDiv: ("floor_divide", operator.floordiv),
    ast.Mod: ("remainder", operator.mod),
    ast.Pow: ("power", operator.pow),
    ast.MatMult: ("matmul", operator.matmul),
}
_UNARY: dict[type[ast.AST], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Invert: operator.invert,
}
_COMPARE: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_METHODS = {
    "sum", "mean", "std", "var", "prod", "dot", "max", "min", "argmax", "argmin", "reshape", "ravel", "flatten", "transpose",
    "copy", "astype", "cumsum", "cumprod", "clip", "squeeze", "swapaxes",
    "item", "trace", "round", "repeat", "take", "diagonal",
}  # fmt: skip
_BUILTINS = {abs, float, int, len, range, min, max, sum, bool, list, tuple, zip, enumerate, reversed, round, pow}
_IMPURE_NUMPY = {
    "load",
    "save",
    "savez",
    "savetxt",
    "loadtxt",
    "seterr",
    "seterrcall",
    "errstate",
    "put",
    "copyto",
    "fill_diagonal",
}
_CONTAINERS = (np.ndarray, np.generic, dict, list, tuple, str)


class Peek:
    """Evaluates expressions in the namespace of a frame. `seen` keeps what was found for each node."""

    def __init__(self, names: Mapping[str, Any], globals_: Mapping[str, Any]) -> None:
        self.names = names
        self.globals = globals_
        self.seen: dict[ast.AST, Any] = {}

    def __call__(self, node: ast.AST) -> Any:
        """The value of `node`; raises CannotPeek where that would run the user's code or fails."""
        if node in self.seen:
            return self.seen[node]
        method = getattr(self, "_" + type(node).__name__.lower(), None)
        if method is None:
            raise CannotPeek(type(node).__name__)
        try:
            with np.errstate(all="ignore"):
                value = method(node)
        except CannotPeek:
            raise
        except Exception as error:  # whatever the user's operands raise, peeking must not
            raise CannotPeek(str(error)) from error
        self.seen[node] = value
        return value

    def maybe(self, node: ast.AST) -> Any:
        """The value, or None where it cannot be had."""
        try:
            return self(node)
        except CannotPeek:
            return None

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _name(self, node: ast.Name) -> Any:
        for space in (self.names, self.globals):
            if node.id in space:
                return space[node.id]
        builtins = self.globals.get("__builtins__", {})
        found = builtins.get(node.id) if isinstance(builtins, dict) else getattr(builtins, node.id, None)
        if found is None:
            raise CannotPeek(node.id)
        return found

    def _attribute(self, node: ast.Attribute) -> Any:
        base = self(node.value)
        if isinstance(base, (np.ndarray, np.generic, ModuleType, np.ufunc)):
            return getattr(base, node.attr)
        own = getattr(base, "__dict__", {})
        if node.attr in own:
            return own[node.attr]
        found = inspect.getattr_static(base, node.attr)
        if isinstance(found, property) or hasattr(found, "__get__"):
            raise CannotPeek(f"the property {node.attr}")
        return found

    def _subscript(self, node: ast.Subscript) -> Any:
        base = self(node.value)
        if isinstance(base, dict):
            return dict.__getitem__(base, self(node.slice))
        if not isinstance(base, _CONTAINERS):
            raise CannotPeek("a subscript of the user's class")
        return base[self(node.slice)]  # type: ignore[index]

    def _slice(self, node: ast.Slice) -> slice:
        return slice(*(None if part is None else self(part) for part in (node.lower, node.upper, node.step)))

    def _tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self(item) for item in node.elts)

    def _list(self, node: ast.List) -> list[Any]:
        return [self(item) for item in node.elts]

    def _binop(self, node: ast.BinOp) -> Any:
        left, right = self(node.left), self(node.right)
        _require_plain(left, right)
        return _BINARY[type(node.op)][1](left, right)

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        value = self(node.operand)
        _require_plain(value)
        return _UNARY[type(node.op)](value)

    def _compare(self, node: ast.Compare) -> Any:
        if len(node.ops) != 1 or type(node.ops[0]) not in _COMPARE:
            raise CannotPeek("a chained comparison")
        left, right = self(node.left), self(node.comparators[0])
        _require_plain(left, right)
        return _COMPARE[type(node.ops[0])](left, right)

    def _ifexp(self, node: ast.IfExp) -> Any:
        return self(node.body) if bool(self(node.test)) else self(node.orelse)

    def _call(self, node: ast.Call) -> Any:
        if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
            raise CannotPeek("star arguments")
        keywords = {k.arg: self(k.value) for k in node.keywords if k.arg}
        if "out" in keywords:
            raise CannotPeek("out=")
        arguments = [self(a) for a in node.args]
        function = self._function(node.func)
        return function(*arguments, **keywords)

    def _function(self, node: ast.expr) -> Callable[..., Any]:
        if isinstance(node, ast.Attribute):
            base = self(node.value)
            if isinstance(base, (np.ndarray, np.generic)) and node.attr in _METHODS:
                method: Callable[..., Any] = getattr(base, node.attr)
                return method
            if isinstance(base, np.ufunc) and node.attr in ("reduce", "accumulate", "outer", "reduceat"):
                return getattr(base, node.attr)
        return _require_pure(self(node))


def _require_plain(*values: Any) -> None:
    """Operators of the user's own classes run the user's code."""
    for value in values:
        if not isinstance(value, (np.ndarray, np.generic, bool, int, float, complex, str, list, tuple)):
            raise CannotPeek(type(value).__name__)


def _require_pure(function: Any) -> Callable[..., Any]:
    if isinstance(function, (np.ufunc, np.vectorize)):
        return function
    if isinstance(function, type) and issubclass(function, np.generic):
        return function
    name = getattr(function, "__name__", "")
    module = getattr(function, "__module__", None) or ""
    if module.startswith("numpy") and "random" not in module and name not in _IMPURE_NUMPY:
        return function  # type: ignore[no-any-return]
    if module == "math" or getattr(math, name, None) is function:
        return function  # type: ignore[no-any-return]
    try:
        if function in _BUILTINS:
            return function  # type: ignore[no-any-return]
    except TypeError:
        pass
    raise CannotPeek(f"the call of {name or function!r}")


def operation_of(node: ast.AST, peek: Peek) -> tuple[str, list[ast.expr]] | None:
    """The name of the operation that `node` evaluates ("divide", "sum") and the expressions of its operands."""
    if isinstance(node, (ast.BinOp, ast.AugAssign)):
        found = _BINARY.get(type(node.op))
        operands = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.target, node.value]
        return None if found is None else (found[0], operands)
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Attribute):
        base = peek.maybe(node.func.value)
        if isinstance(base, (np.ndarray, np.generic)):
            return node.func.attr, [node.func.value, *node.args]
        if isinstance(base, np.ufunc):
            return f"{base.__name__}.{node.func.attr}", list(node.args)
    function = peek.maybe(node.func)
    name = getattr(function, "__name__", None) or ast.unparse(node.func)
    return name, list(node.args)


def spelled(node: ast.AST, peek: Peek) -> str | None:
    """What a person calls the variable `node` reads: keys evaluated and `self.` dropped ("A[2]"), None for no variable."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = spelled(node.value, peek)
        return None if base is None else node.attr if base == "self" else f"{base}.{node.attr}"
    if isinstance(node, ast.Subscript):
        base = spelled(node.value, peek)
        key = peek.maybe(node.slice)
        if base is None:
            return None
        if isinstance(key, (str, int, np.integer)):
            return f"{base}[{key!r}]" if isinstance(key, str) else f"{base}[{int(key)}]"
        return f"{base}[{ast.unparse(node.slice)}]"
    return None


def variables(node: ast.AST, peek: Peek) -> list[tuple[str, Any]]:
    """The named numbers and arrays that the expression reads, outermost name only, in source order."""
    found: list[tuple[str, Any]] = []

    def walk(item: ast.AST) -> None:
        if isinstance(item, (ast.Name, ast.Attribute, ast.Subscript)):
            value = peek.maybe(item)
            name = spelled(item, peek)
            if name is not None and as_numbers(value) is not None:
                found.append((name, value))
                return
        children = item.args + [k.value for k in item.keywords] if isinstance(item, ast.Call) else ast.iter_child_nodes(item)
        if isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute):
            walk(item.func.value)
        for child in children:
            walk(child)

    walk(node)
    return list({name: (name, value) for name, value in found}.values())


def element(name: str, value: Any, index: tuple[int, ...], shape: tuple[int, ...]) -> tuple[str, Any]:
    """The element of a variable that meets element `index` of a result of `shape` under broadcasting, with its name."""
    array = np.asarray(value)
    if array.ndim == 0 or array.ndim > len(shape):
        return name, value
    tail = index[len(shape) - array.ndim :]
    try:
        np.broadcast_to(array, shape)
    except ValueError:
        return name, value
    at = tuple(0 if n == 1 else i for i, n in zip(tail, array.shape, strict=True))
    return f"{name}[{', '.join(map(str, at))}]", array[at]


def equals(name: str, value: Any) -> str:
    """ "`A[2][0, 5]` is exactly 1.0": the words for one number."""
    number = float(np.real(np.asarray(value).reshape(-1)[0]))
    exact = number in (0.0, 1.0, -1.0) and np.asarray(value).dtype.kind == "f"
    return f"`{name}` is exactly {number}" if exact else f"`{name}` is {shown(value)}"
