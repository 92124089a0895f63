"""What an operation on a tape is called, what it worked on, and whether it made something non-finite."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...source import Span
from ...tape.tape import Node, Ref, Tape
from .classify import Cause, classify
from .values import as_numbers, badness

_NAMES = {
    "truediv": "divide",
    "itruediv": "divide",
    "floordiv": "floor_divide",
    "ifloordiv": "floor_divide",
    "mul": "multiply",
    "imul": "multiply",
    "sub": "subtract",
    "isub": "subtract",
    "iadd": "add",
    "ipow": "power",
    "pow": "power",
    "mod": "remainder",
    "imod": "remainder",
    "imatmul": "matmul",
}
HIDING = {"nan_to_num", "nansum", "nanmean", "nanmax", "nanmin", "nanstd", "nanvar", "fmax", "fmin"}


def operation_name(node: Node) -> str:
    """ "divide", "sum", "astype": the same word for an operator, a function, a method and the change in place."""
    op = node.op
    inner = getattr(op, "op", None) or getattr(op, "function", None)
    if node.kind == "write":
        name = getattr(inner, "__name__", None) or getattr(op, "name", None) or "setitem"
    else:
        owner = getattr(op, "__self__", None)
        name = getattr(op, "__name__", type(op).__name__)
        if isinstance(owner, np.ufunc) and name in ("reduce", "accumulate", "at", "reduceat"):
            name = {"add": "sum", "multiply": "prod"}.get(owner.__name__, name)
    return _NAMES.get(name, name)


def value_of(tape: Tape, argument: Any) -> Any:
    """The value an argument tree stands for; containers are rebuilt."""
    if isinstance(argument, Ref):
        return tape.nodes[argument.index].value
    if isinstance(argument, (list, tuple)):
        return type(argument)(value_of(tape, a) for a in argument)
    return argument


def operands_of(tape: Tape, node: Node) -> list[tuple[int | None, Any]]:
    """The numeric operands of a node in order, each with its node, if it has one of its own."""
    arguments: list[Any] = list(node.args)
    name = operation_name(node)
    if node.kind == "write":
        target = [] if name in ("setitem", "assign", "copyto", "fill", "put") else [_written_before(tape, node)]
        arguments = [*target, *node.args[3:]]
        found: list[tuple[int | None, Any]] = [(None, a) if not isinstance(a, Ref) else (a.index, a) for a in arguments]
        return [(i, value_of(tape, a)) for i, a in found]
    if name == "einsum" or name == "bincount":
        arguments = [a for a in arguments if not isinstance(a, str)] + list(node.kwargs.values())
    if name in ("getitem", "astype"):
        arguments = arguments[:1]
    return [(a.index if isinstance(a, Ref) else None, value_of(tape, a)) for a in arguments]


def _written_before(tape: Tape, node: Node) -> Any:
    """What the place that a write changes held before it."""
    old = tape.nodes[node.args[0].index].value
    geometry, key = node.args[1], node.args[2]
    if geometry is not None or key is not None:
        return 1.0
    return old


def cause_of(tape: Tape, node: Node) -> Cause | None:
    """The class of what an operation made non-finite, or turned from infinite to NaN; None where it made nothing."""
    if node.kind not in ("op", "write") or badness(node.value) is None:
        return None
    name = operation_name(node)
    values = [v for _, v in operands_of(tape, node)]
    numeric = [v for v in values if as_numbers(v) is not None]
    if node.kind == "write" and badness(tape.nodes[node.args[0].index].value) and not any(map(badness, numeric)):
        return None  # other elements of the buffer were bad before
    if node.kind == "write" and len(numeric) == 2 and name not in ("setitem", "assign"):
        return classify(name, numeric, node.value)
    return classify("setitem" if name == "assign" else name, numeric or [0.0], node.value)


def written_literal(tape: Tape, node: Node) -> bool:
    """Whether a write put a NaN or an infinity there that stood in the program or in a value never computed."""
    if node.kind != "write":
        return False
    return any(badness(value) for value in node.args[3:] if not isinstance(value, Ref))


def syntax_operands(node: ast.AST) -> list[ast.expr]:
    """The expressions of the operands, in the order of the node's arguments."""
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.AugAssign):
        return [node.target, node.value]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.Call):
        return list(node.args)
    return []


class Namer:
    """What the user calls the values of a tape."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self._names: dict[int, list[str]] = {}
        for binding in tape.bindings:
            if binding.node is not None and binding.how != "element":
                self._names.setdefault(binding.node, []).append(binding.name)
        for binding in tape.bindings:
            if binding.node is not None and binding.how == "element":
                self._names.setdefault(binding.node, []).append(binding.name)

    def __call__(self, index: int, like: str | None = None) -> str | None:
        """A name of the node: the one that resembles the source text `like`, else the first; `self.` dropped."""
        names = self._names.get(index)
        if not names:
            return None
        if like is not None:
            root = like.partition("[")[0]
            names = [n for n in names if n.partition("[")[0] == root] or names
        return names[0].removeprefix("self.")

    def all_named(self, before: int) -> Iterator[tuple[str, Any]]:
        """Every named array made before node `before`, latest first."""
        for index in sorted((i for i in self._names if i < before), reverse=True):
            value = self.tape.nodes[index].value
            if as_numbers(value) is not None:
                yield self(index) or "", value

    def sources(self, index: int | None, text: ast.expr | None, depth: int = 0) -> list[tuple[str, Any]]:
        """The named values that an operand is made of, nearest first: itself, or what the unnamed operations read."""
        if index is None or depth > 6:
            return []
        likes = (
            [ast.unparse(n) for n in ast.walk(text) if isinstance(n, (ast.Name, ast.Attribute, ast.Subscript))] if text else []
        )
        node = self.tape.nodes[index]
        roots = {like.partition("[")[0] for like in likes}
        for name in self._names.get(index, []):
            if name.partition("[")[0] in roots or not likes:
                return [(name.removeprefix("self."), node.value)]
        own = self(index)
        if node.kind != "op":
            return [(own, node.value)] if own else []
        found: list[tuple[str, Any]] = []
        for inner in dict.fromkeys(node.inputs()):
            found.extend(self.sources(inner, text, depth + 1))
        if not found and own:
            found = [(own, node.value)]
        return _unique(found)


def _unique(found: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return list({name: (name, value) for name, value in reversed(found)}.values())[::-1]


def span_of_node(node: Node) -> Span | None:
    """Where the operation stands."""
    return None if node.site is None else node.site.span
