"""The updates on a tape: places (a variable, a slot, a buffer) that held `old` and now hold old +- something of its shape."""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection, Hashable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from .buffers import Augment, Into, Method
from .replay import Replay
from .tape import Binding, Node, Ref, Site

ADD: set[Any] = {operator.add, operator.iadd, np.add}
SUB: set[Any] = {operator.sub, operator.isub, np.subtract}
MUL: set[Any] = {operator.mul, operator.imul, np.multiply}
DIV: set[Any] = {operator.truediv, operator.itruediv, np.divide, np.true_divide}
PRODUCTS = ("dot", "matmul", "outer", "inner", "tensordot")
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


@dataclass(frozen=True, slots=True)
class Update:
    """One change of a value at its place: `new` = `old` + sum of `terms`, at `site`. `binding` names the place, if any."""

    old: int
    new: int
    terms: tuple[Term, ...]
    site: Site | None
    binding: Binding | None
    self_factor: float = 1.0


class Algebra:
    """The arithmetic structure of single nodes: sums, scalar factors."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.nodes = replay.tape.nodes
        self._norms: set[int] = set()  # numbers from the backward pass that scale arrays
        self.norm_factors: set[tuple[float, str]] = set()  # factors that are made of what they scale

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
            and _in(node.op.op, MUL | DIV)
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
        if depth < 6 and args and _in(node.op, ADD | SUB) and all(isinstance(a, Ref) for a in args):
            sign = -1.0 if _in(node.op, SUB) else 1.0
            left = self.terms(args[0].index, factor, depth + 1, whole, made)
            return left + self.terms(args[1].index, factor * sign, depth + 1, whole, made)
        if depth < 6 and node.kind == "op" and _in(node.op, NEG) and isinstance(node.args[0], Ref):
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
        if _in(op, MUL):
            for scalar, other in (args, args[::-1]):
                if isinstance(other, Ref) and self._is_scalar(scalar) and self.size(other.index) >= self._size(scalar):
                    return scalar, other, False
        if _in(op, DIV) and isinstance(args[0], Ref) and self._is_scalar(args[1]):
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

    def scalings(self, index: int, dependent: Callable[[int], bool]) -> Iterator[Scaling]:
        """The node, then what is left of it as scalar factors that are not `dependent` are taken off one by one."""
        factors: list[tuple[float, str]] = []
        yield Scaling(index, ())
        while True:
            node = self.nodes[index]
            if node.kind == "op" and _in(node.op, NEG) and isinstance(node.args[0], Ref):
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
        name = getattr(node.op, "__name__", "") or getattr(node.op, "name", "")
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
        """The scalar factors that a product took in with one of its operands: lr in (lr * A.T) @ B."""
        node = self.nodes[index]
        if node.kind != "op" or not (getattr(node.op, "__name__", "") in PRODUCTS or _in(node.op, MUL)):
            return []
        found: list[tuple[float, str]] = []
        for a in node.args:
            while isinstance(a, Ref) and not self.replay.index.names.get(a.index):
                inner = self.nodes[a.index]
                if inner.kind == "op" and getattr(inner.op, "__name__", "") in ("T", "transpose", "reshape"):
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
            if args and _in(node.op, MUL | DIV):
                left, right = (self._scalar_factors(a, depth + 1) for a in args)
                return left + [(1 / v if _in(node.op, DIV) else v, name) for v, name in right if v]
            if node.kind == "op" and _in(node.op, NEG):
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
                self._norms.add(self.replay.canonical[scalar.index])
                if self._is_made_of(scalar.index, other.index):
                    self.norm_factors.update(self._split_factors(split))
                return split  # a number times an array: a factor, wherever the number comes from (clipping by norm)
            if self.replay.canonical[scalar.index] in self._norms and self._is_made_of(scalar.index, other.index):
                return split  # the same for an array of one element beside longer ones
            if not _in(node.op, MUL) or dependent(other.index) or not self._is_scalar(other):
                return None
            scalar, other = other, scalar  # two scalars: the one that depends on the parameters is the gradient
        return scalar, other, divided

    def _is_made_of(self, scalar: int, other: int) -> bool:
        """Whether a number depends on what it scales, or on what that is a multiple of."""
        above, stack = self.replay.upstream([scalar]), [other]
        while stack:
            i = stack.pop()
            if self.replay.canonical[i] in above and i != scalar:
                return True
            if _in(self.nodes[i].op, MUL | DIV):
                stack.extend(a.index for a in self.nodes[i].args if isinstance(a, Ref))
        return False

    def describe(self, operand: Any) -> str:
        """What the user calls a scalar: its name, or its value."""
        if isinstance(operand, Ref):
            names = self.replay.index.names.get(operand.index)
            if names:
                return names[-1].name
            operand = self.value(operand)
        return f"{float(np.reshape(operand, ())):g}"


def _in(op: Any, group: set[Any]) -> bool:
    try:
        return op in group
    except TypeError:
        return False


class Steps:
    """The updates on a tape, in order, and the borders they draw between one step and the next."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.tape = replay.tape
        self.algebra = Algebra(replay)

    @cached_property
    def updates(self) -> list[Update]:
        """Every change of a value at its place that has the form old +- something, in order."""
        found: dict[tuple[int, int], Update] = {}
        made: set[int] = set()  # new versions of places: the sums they are made by are not those of other updates
        previous: dict[Hashable, int] = {}
        for binding in self.tape.bindings:
            if binding.node is None:
                previous.pop(binding.place, None)
                continue
            old = previous.get(binding.place)
            if binding.how == "augmented" and old is None:
                old = self._augmented(binding.node)
            if old is not None and old != binding.node:
                update = self._as_update(old, binding.node, binding, made)
                if update is not None:
                    found.setdefault((update.old, update.new), update)
                    made.add(update.new)
            previous[binding.place] = binding.node
        for node in self.tape.nodes:
            if node.kind == "write":
                update = self._as_write(node)
                if update is not None and (update.old, update.new) not in found:
                    names = self.replay.index.names.get(node.index, ())
                    name = next((b for b in names if b.how in ("assign", "augmented")), None)
                    found[update.old, update.new] = replace(update, binding=name)
        for update in self._by_role({old for old, _ in found} | {new for _, new in found}):
            found.setdefault((update.old, update.new), update)
        return sorted(found.values(), key=lambda u: u.new)

    def _augmented(self, index: int) -> int | None:
        """What `x += e` changed, where x is a number that nothing had named before."""
        node = self.tape.nodes[index]
        first = node.args[0] if node.kind == "op" and node.args else None
        return first.index if isinstance(first, Ref) and _in(node.op, ADD | SUB) else None

    def _by_role(self, known: set[int]) -> Iterator[Update]:
        """Updates that make a new value for a new place (`return {"W1": W1 - lr * dW1}`): known by what reads it next.

        The new value is read by the same expressions, later, that read the old one.
        """
        heirs: set[int] = set()
        proven: set[int | None] = set()
        for node in self.tape.nodes:
            if node.kind != "op" or not _in(node.op, ADD | SUB) or node.index in known:
                continue
            terms = self.algebra.terms(node.index, whole=heirs)
            for term in terms:
                old = self.tape.nodes[term.node]
                if old.index in known or term.factor != 1.0 or (old.index not in heirs and not self._is_beginning(old)):
                    continue
                if np.shape(old.value) != np.shape(node.value) or np.asarray(node.value).dtype.kind != "f":
                    continue
                site = node.site.id if node.site else None
                if not self._inherits(old.index, node.index) and site not in proven:
                    continue
                update = self._from_terms(old.index, node.index, terms, node.site, None)
                if update is not None:
                    proven.add(site)
                    heirs.add(node.index)
                    yield update
                    break

    def _is_beginning(self, node: Node, depth: int = 0) -> bool:
        """Whether a value comes from outside, or is made of random draws and numbers: what a parameter begins as."""
        if node.kind == "leaf" and (depth == 0 or np.size(node.value) == 1) or node.kind == "random":
            return True
        inputs = [self.tape.nodes[i] for i in node.inputs()]
        return node.kind == "op" and depth < 5 and bool(inputs) and all(self._is_beginning(i, depth + 1) for i in inputs)

    def _inherits(self, old: int, new: int) -> bool:
        nodes, consumers = self.tape.nodes, self.replay.index.consumers
        before = {_reading(nodes[i], old) for i in consumers.get(old, ()) if i < new}
        after = {_reading(nodes[i], new) for i in consumers.get(new, ())}
        return bool((before & after) - {None})

    def _as_update(self, old: int, new: int, binding: Binding, made: Collection[int]) -> Update | None:
        node = self.tape.nodes[new]
        if node.kind == "write":
            update = self._as_write(node)
            return None if update is None else Update(update.old, new, update.terms, node.site, binding)
        if _shape(node.value) != _shape(self.tape.nodes[old].value) and not _grown(self.tape.nodes[old].value, node.value):
            return None
        terms = self.algebra.terms(new, whole={old, self.replay.canonical[old]}, made=made)
        return self._from_terms(old, new, terms, node.site, binding)

    def _from_terms(self, old: int, new: int, terms: list[Term], site: Site | None, binding: Binding | None) -> Update | None:
        canon = self.replay.canonical
        same: list[Term] = []
        rest: list[Term] = []
        self_factor = 0.0
        for term in terms:
            stripped = list(self.algebra.scalings(term.node, lambda i: False))[-1]
            if canon[term.node] == canon[old] or self._looks_at(term.node, old):
                same.append(term)
                self_factor += term.factor
            elif (canon[stripped.node] == canon[old] or self._looks_at(stripped.node, old)) and stripped.factors:
                same.append(term)
                self_factor += term.factor * stripped.product
            else:
                rest.append(term)
        if not same or not rest:
            return None
        return Update(old, new, tuple(rest), site, binding, self_factor)

    def _looks_at(self, index: int, buffer: int) -> bool:
        node = self.tape.nodes[index]
        return (
            node.kind in ("view", "op")
            and bool(node.args)
            and isinstance(node.args[0], Ref)
            and self.replay.canonical[node.args[0].index] == self.replay.canonical[buffer]
            and (node.kind == "view" or _in(node.op, {operator.getitem, np.asarray, np.array, np.copy}) or node.op == COPY)
        )

    def _as_write(self, node: Node) -> Update | None:
        """A change in place as an update: `W -= e`, `W[k] += e`, `W[:] = W - e`, `np.subtract(W, e, out=W)`."""
        old = node.args[0].index
        operands = [a for a in node.args[3:] if isinstance(a, Ref)]
        if not operands:
            return None
        inner = getattr(node.op, "op", None) or getattr(node.op, "function", None)
        if isinstance(node.op, Into):
            return self._as_into(node, old, inner, operands)
        if isinstance(node.op, Augment) or _in(inner, {np.add.at, np.subtract.at}):
            sign = -1.0 if _in(inner, SUB) or inner == np.subtract.at else 1.0 if _in(inner, ADD | {np.add.at}) else None
            return None if sign is None else self._as_augment(node, old, Term(sign, operands[-1].index))
        return self._from_terms(old, node.index, self.algebra.terms(operands[-1].index), node.site, None)

    def _as_augment(self, node: Node, old: int, term: Term) -> Update | None:
        """`W -= e`, where a multiple of `W` in `e` (a weight decay) is the value's own."""
        terms = self.algebra.terms(term.node, term.factor)
        split = self._from_terms(old, node.index, [Term(1.0, old), *terms], node.site, None)
        if split is None or len(split.terms) < len(terms):
            return split
        return Update(old, node.index, (term,), node.site, None)

    def _as_into(self, node: Node, old: int, inner: Any, operands: list[Ref]) -> Update | None:
        if len(operands) != 2 or not _in(inner, ADD | SUB):
            return None
        sign = -1.0 if _in(inner, SUB) else 1.0
        terms = self.algebra.terms(operands[0].index) + self.algebra.terms(operands[1].index, sign)
        return self._from_terms(old, node.index, terms, node.site, None)

    @cached_property
    def by_new(self) -> dict[int, Update]:
        """The updates by the canonical node they make."""
        return {self.replay.canonical[u.new]: u for u in self.updates}

    @cached_property
    def new_values(self) -> set[int]:
        """The canonical nodes that updates make: the borders between one step and the next.

        A sum that starts from zero within its step (a gradient over samples, over time) is no border.
        """
        return {i for i, u in self.by_new.items() if not self.is_accumulator(u)}

    def is_accumulator(self, state: Update) -> bool:
        """Whether a sum starts from zero in its step: a loss, the gradient of a batch, summed over samples or time."""
        if state.self_factor != 1.0:
            return False
        base, last, seen = state.old, state.new, set()
        while base not in seen:
            seen.add(base)
            previous = self.by_new.get(self.replay.canonical[base])
            if self._is_read(base, last):
                return False
            if previous is not None and previous.self_factor == 1.0:
                base, last = previous.old, previous.new
            elif previous is None and self._adds_constant(base):
                base, last = self.tape.nodes[base].args[0].index, base
            else:
                break
        node = self.tape.nodes[base]
        from_zero = node.kind == "op" and _in(node.op, ADD) and any(type(a) in (int, float) and a == 0 for a in node.args)
        return from_zero or not np.any(np.asarray(node.value))

    def _adds_constant(self, index: int) -> bool:
        node = self.tape.nodes[index]
        return node.kind == "write" and isinstance(node.op, Augment) and _in(node.op.op, ADD | SUB)

    def _is_read(self, version: int, heir: int) -> bool:
        """Whether anything but the next version of a sum, or what that one is summed from, reads a version of it."""
        canon, consumers = self.replay.canonical, self.replay.consumers
        stack, seen = [canon[version]], set()
        while stack:
            for i in consumers.get(stack.pop(), ()):
                if i in seen or i == canon[heir] or self.tape.nodes[i].kind == "view":
                    continue
                seen.add(i)
                if i > heir or not _in(self.tape.nodes[i].op, ADD) or not consumers.get(i):
                    return True
                stack.append(i)
        return False


def _reading(node: Node, read: int) -> tuple[int, int] | None:
    """Where a node reads a value: its expression, and which operand of it."""
    if node.site is None:
        return None
    at = next((k for k, a in enumerate(node.args) if isinstance(a, Ref) and a.index == read), -1)
    return node.site.id, at


def _shape(value: Any) -> tuple[int, ...]:
    return np.shape(value)


def _grown(old: Any, new: Any) -> bool:
    """Whether a value grew by broadcasting when it was updated."""
    try:
        return np.broadcast_shapes(np.shape(old), np.shape(new)) == np.shape(new)
    except ValueError:
        return False
