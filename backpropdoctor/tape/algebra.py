"""The arithmetic of single nodes on a tape: sums of signed terms, products with scalar factors."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .buffers import Augment, Into, Method
from .replay import Replay
from .tape import Node, Ref

ADD: set[Any] = {operator.add, operator.iadd, np.add}
SUB: set[Any] = {operator.sub, operator.isub, np.subtract}
MUL: set[Any] = {operator.mul, operator.imul, np.multiply}
DIV: set[Any] = {operator.truediv, operator.itruediv, np.divide, np.true_divide}
PRODUCTS = ("dot", "matmul", "outer", "inner", "tensordot")
_MOST_OF_NORM = 24  # operations of a norm
_LAYOUTS = ("T", "transpose", "reshape")
NEG: set[Any] = {operator.neg, np.negative}
COPY = Method("copy")
CAST = Method("astype")


@dataclass(frozen=True, slots=True)
class Term:
    """One signed term of a sum: factor * value of `node`."""

    factor: float
    node: int


@dataclass(frozen=True, slots=True)
class Scaling:
    """`node` with the scalar factors that were taken off on the way to it, outermost first.

    `inside` is the part of them that still sits in the value of `node`: in (lr * A.T) @ B the factor is not a step of its
    own, so the value without it is node / inside.
    """

    node: int
    factors: tuple[tuple[float, str], ...]  # value, and what the user calls it
    inside: float = 1.0

    @property
    def product(self) -> float:
        return float(np.prod([v for v, _ in self.factors])) if self.factors else 1.0


class Algebra:
    """The arithmetic structure of single nodes: sums, scalar factors."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.nodes = replay.tape.nodes
        self._norms: set[int] = set()  # numbers from the backward pass that scale arrays
        self.norm_factors: set[tuple[float, str]] = set()  # factors that are made of what they scale
        self.own_norms: set[tuple[float, str]] = set()  # those made of nothing else
        self._bare: dict[int, list[Scaling]] = {}

    def operands(self, node: Node) -> tuple[Any, ...]:
        """The two operands of a binary operation in the order of mathematics; () for anything else."""
        if node.kind == "op" and len(node.args) == 2 and node.op is not None:
            return node.args
        return ()

    def scaled_in_place(self, node: Node) -> bool:
        """Whether a node is `array *= operand` or `array /= operand` of a whole array."""
        return (
            node.kind == "write"
            and isinstance(node.op, Augment)
            and is_any(node.op.op, MUL | DIV)
            and len(node.args) == 4
            and node.args[1] is None
            and node.args[2] is None
        )

    def terms(
        self,
        index: int,
        factor: float = 1.0,
        depth: int = 0,
        whole: Collection[int] = frozenset(),
        made: Collection[int] = frozenset(),
    ) -> list[Term]:
        """The node as a sum of signed terms, looking through +, - and unary minus.

        Values in `whole` are not taken apart, and nodes in `made` neither.
        """
        node = self.nodes[index]
        if depth and (index in made or index in whole or self.replay.canonical[index] in whole):
            return [Term(factor, index)]
        args = self.operands(node)
        if depth < 6 and args and is_any(node.op, ADD | SUB) and all(isinstance(a, Ref) for a in args):
            sign = -1.0 if is_any(node.op, SUB) else 1.0
            left = self.terms(args[0].index, factor, depth + 1, whole, made)
            return left + self.terms(args[1].index, factor * sign, depth + 1, whole, made)
        if depth < 6 and node.kind == "op" and is_any(node.op, NEG) and isinstance(node.args[0], Ref):
            return self.terms(node.args[0].index, -factor, depth + 1, whole, made)
        return [Term(factor, index)]

    def scalar_split(self, index: int) -> tuple[Any, Any, bool] | None:
        """(scalar operand, other operand's Ref, divided) of a product or quotient with a scalar, else None."""
        node = self.nodes[index]
        args, op = self.operands(node), node.op
        if self.scaled_in_place(node):
            args, op = (node.args[0], node.args[3]), node.op.op  # type: ignore[union-attr]
        if not args:
            return None
        if is_any(op, MUL):
            for scalar, other in sorted((args, args[::-1]), key=lambda pair: np.ndim(self.value(pair[0]))):
                if isinstance(other, Ref) and self._is_scalar(scalar) and self.size(other.index) >= self._size(scalar):
                    return scalar, other, False
        if is_any(op, DIV) and isinstance(args[0], Ref) and self._is_scalar(args[1]):
            return args[1], args[0], True
        return None

    def size(self, index: int) -> int:
        return int(np.size(self.nodes[index].value))

    def _size(self, operand: Any) -> int:
        return self.size(operand.index) if isinstance(operand, Ref) else int(np.size(operand))

    def _is_scalar(self, operand: Any) -> bool:
        value = self.value(operand)
        return isinstance(value, (int, float, np.generic, np.ndarray)) and np.size(value) == 1

    def value(self, operand: Any) -> Any:
        return self.nodes[operand.index].value if isinstance(operand, Ref) else operand

    def all_scalings(self, index: int) -> list[Scaling]:
        """The node, then what is left of it without each scalar factor, whatever that depends on."""
        if index not in self._bare:
            self._bare[index] = list(self.scalings(index, lambda i: False))
        return self._bare[index]

    def scalings(self, index: int, dependent: Callable[[int], bool]) -> Iterator[Scaling]:
        """The node, then what is left of it as scalar factors that are not `dependent` are taken off one by one."""
        factors: list[tuple[float, str]] = []
        yield Scaling(index, ())
        while True:
            node = self.nodes[index]
            if node.kind == "op" and is_any(node.op, NEG) and isinstance(node.args[0], Ref):
                factors.append((-1.0, "-1"))
                index = node.args[0].index
            elif (limited := self.unclipped(index)) is not None:
                index = limited
            elif node.kind == "op" and node.op == CAST and np.asarray(node.value).dtype.kind == "f":
                index = node.args[0].index
            else:
                split = self._independent_split(index, dependent)
                if split is None:
                    break
                found = self._split_factors(split)
                if not found:
                    return
                factors += found
                index = split[1].index
            yield Scaling(index, tuple(factors))
        inner = self._product_factors(index, dependent)
        if inner:
            yield Scaling(index, (*factors, *inner), float(np.prod([v for v, _ in inner])))

    def unclipped(self, index: int) -> int | None:
        """What a node limits to an interval around zero: x in `np.clip(x, -c, c)`; None for any other node."""
        node = self.nodes[index]
        name = node.name
        args = list(node.args)
        if node.kind == "write" and isinstance(node.op, Into):
            name = getattr(node.op.function, "__name__", "") or getattr(node.op.function, "name", "")
            args = list(node.args[3:]) if node.args[1] is None and node.args[2] is None else []
        elif node.kind != "op":
            return None
        if name in ("minimum", "maximum", "min", "max", "fmin", "fmax") and len(args) == 2:
            for inner, bound in (args, args[::-1]):
                limit = self._limit(bound)
                if isinstance(inner, Ref) and limit is not None and (limit > 0 if "min" in name else limit < 0):
                    return inner.index
        if name != "clip" or not args or not isinstance(args[0], Ref):
            return None
        named = [node.kwargs.get(k, node.kwargs.get(f"a_{k}")) for k in ("min", "max")]
        bounds = [a for a in (*args[1:3], *named) if a is not None]
        limits = [limit for b in bounds if (limit := self._limit(b)) is not None]
        if len(limits) == 2 and min(limits) < 0 < max(limits):
            return args[0].index
        return None

    def _limit(self, operand: Any) -> float | None:
        value = self.value(operand)
        return float(np.reshape(value, ())) if self._is_scalar(operand) and np.isrealobj(value) else None

    def _split_factors(self, split: tuple[Any, Any, bool]) -> list[tuple[float, str]]:
        scalar, _, divided = split
        value = float(np.reshape(self.value(scalar), ()))
        if (value == 0 and divided) or not np.isfinite(value):
            return []
        return [(1 / v if divided else v, name) for v, name in self._scalar_factors(scalar)]

    def _product_factors(self, index: int, dependent: Callable[[int], bool]) -> list[tuple[float, str]]:
        """The scalar factors that a product took in with one of its operands, or an array before it was laid out anew.

        lr in `(lr * A.T) @ B`, or in what is left of `(lr * a).reshape(-1, 1) * d` without the number d.
        """
        node = self.nodes[index]
        laid_out = node.kind == "op" and node.name in _LAYOUTS
        if node.kind != "op" or not (laid_out or node.name in PRODUCTS or is_any(node.op, MUL)):
            return []
        found: list[tuple[float, str]] = []
        for a in node.args[:1] if laid_out else node.args:
            while isinstance(a, Ref) and not self.replay.index.names.get(a.index):
                inner = self.nodes[a.index]
                if inner.kind == "op" and inner.name in _LAYOUTS:
                    a = inner.args[0]
                    continue
                split = self._independent_split(a.index, dependent)
                more = self._split_factors(split) if split else []
                if not more or split is None:
                    break
                found += more
                a = split[1]
        return found

    def _scalar_factors(self, scalar: Any, depth: int = 0) -> list[tuple[float, str]]:
        """A scalar taken apart into the factors the user wrote: lr / m is lr and 1/m."""
        if isinstance(scalar, Ref) and depth < 4 and not self.replay.index.names.get(scalar.index):
            node = self.nodes[scalar.index]
            args = self.operands(node)
            if args and is_any(node.op, MUL | DIV):
                left, right = (self._scalar_factors(a, depth + 1) for a in args)
                return left + [(1 / v if is_any(node.op, DIV) else v, name) for v, name in right if v]
            if node.kind == "op" and is_any(node.op, NEG):
                return [(-1.0, "-1"), *self._scalar_factors(node.args[0], depth + 1)]
        return [(float(np.reshape(self.value(scalar), ())), self.describe(scalar))]

    def _independent_split(self, index: int, dependent: Callable[[int], bool]) -> tuple[Any, Any, bool] | None:
        split = self.scalar_split(index)
        if split is None:
            return None
        scalar, other, divided = split
        if isinstance(scalar, Ref) and dependent(scalar.index):
            node = self.nodes[index]
            if self.size(other.index) > 1:
                if not dependent(other.index) and not is_any(node.op, DIV):
                    return None  # an error times an input: the number is what depends on the parameters
                self._norms.add(self.replay.canonical[scalar.index])
                if self._is_made_of(scalar.index, other.index):
                    self.norm_factors.update(self._split_factors(split))
                    if self._is_norm(scalar.index, other.index, dependent):
                        self.own_norms.update(self._split_factors(split))
                return split  # a number times an array: a factor, wherever the number comes from (clipping by norm)
            if self.replay.canonical[scalar.index] in self._norms and self._is_made_of(scalar.index, other.index):
                return split  # the same for an array of one element beside longer ones
            if not is_any(node.op, MUL) or dependent(other.index) or not self._is_scalar(other):
                return None
            scalar, other = other, scalar  # two scalars: the one that depends on the parameters is the gradient
        return scalar, other, divided

    def _is_made_of(self, scalar: int, other: int) -> bool:
        """Whether a number depends on what it scales, or on what that is a multiple of."""
        return self.replay.depends(scalar, self._multiplied(scalar, other))

    def _is_norm(self, scalar: int, other: int, dependent: Callable[[int], bool]) -> bool:
        """Whether a number is made of what it scales, or what that is a multiple of, and of nothing else of the parameters."""
        wanted = self._multiplied(scalar, other)
        reached = self.replay.upstream([self.replay.canonical[scalar]], barrier=wanted) - wanted
        live = [i for i in reached if dependent(i)]
        return len(live) <= _MOST_OF_NORM and all(self.replay.depends(i, wanted) for i in live)

    def _multiplied(self, scalar: int, other: int) -> set[int]:
        """What a number scales, and what that is a multiple of."""
        canonical = self.replay.canonical
        wanted, stack = set(), [other]
        while stack:
            i = stack.pop()
            if i != scalar:
                wanted.add(canonical[i])
            if is_any(self.nodes[i].op, MUL | DIV):
                stack.extend(a.index for a in self.nodes[i].args if isinstance(a, Ref))
        return wanted

    def describe(self, operand: Any) -> str:
        """What the user calls a scalar: its name, or its value."""
        if isinstance(operand, Ref):
            names = self.replay.index.names.get(operand.index)
            if names:
                return names[-1].name
            operand = self.value(operand)
        return f"{float(np.reshape(operand, ())):g}"


def is_any(op: Any, group: Collection[Any]) -> bool:
    """Whether an operation is one of a group; those that cannot be hashed are in none."""
    try:
        return op in group
    except TypeError:
        return False
