"""Evaluate any part of a tape again with any value replaced: in float64, or in complex numbers for the complex step.

Two operations of the same function on the same inputs are one value (value numbering), so a loss that runs a forward pass
of its own still depends on the intermediate values of the training pass.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import ReplayError
from .analytic import adapt_dtypes, analytic
from .buffers import apply_write
from .numbering import number_values, reads_shape_only
from .tape import Index, Node, Ref, Tape


@dataclass(frozen=True, slots=True)
class Objective:
    """A scalar made of values on the tape. Two objectives with the same `key` are the same function."""

    key: Hashable
    nodes: tuple[int, ...]
    combine: Callable[[Sequence[Any]], Any]

    @classmethod
    def of_node(cls, node: int) -> Objective:
        """The scalar value of a node."""
        return cls(("node", node), (node,), lambda values: np.asarray(values[0]).reshape(()))

    @classmethod
    def pairing(cls, key: Hashable, cotangents: Sequence[tuple[int, Any]]) -> Objective:
        """The sum of <cotangent, value> over nodes."""

        def combine(values: Sequence[Any]) -> Any:
            return sum(np.sum(np.asarray(v) * np.reshape(g, np.shape(v))) for v, (_, g) in zip(values, cotangents, strict=True))

        return cls(key, tuple(i for i, _ in cotangents), combine)

    def plus(self, other: Objective) -> Objective:
        """The sum of two objectives."""
        split = len(self.nodes)

        def combine(values: Sequence[Any]) -> Any:
            return self.combine(values[:split]) + other.combine(values[split:])

        return Objective((self.key, "+", other.key), (*self.nodes, *other.nodes), combine)


class Replay:
    """The tape as a function of its values.

    All indices that go in or come out are node indices; they are canonical ones inside (`canonical`).
    """

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.index = Index(tape)
        self.canonical = number_values(tape)
        self._base: dict[int, Any] = {}
        self._inputs: dict[int, list[int]] = {}
        self._plans: dict[Any, list[int]] = {}
        self.evaluations = 0
        self.borders: frozenset[int] = frozenset()  # values that updates make: what reads them belongs to a later step

    @cached_property
    def lifted(self) -> bool:
        """Whether the code ran below float64, so that the baseline is computed anew."""
        return any(_is_narrow(n.value) for n in self.tape.nodes if n.kind in ("leaf", "random", "op"))

    @cached_property
    def consumers(self) -> dict[int, list[int]]:
        """For each canonical node the canonical nodes that read it, in order."""
        found: dict[int, list[int]] = {}
        for node in self.tape.nodes:
            if self.canonical[node.index] == node.index:
                for i in self.inputs(node.index):
                    found.setdefault(i, []).append(node.index)
        return found

    def inputs(self, index: int) -> list[int]:
        """The canonical inputs of a node: what its value depends on."""
        found = self._inputs.get(index)
        if found is None:
            node = self.tape.nodes[self.canonical[index]]
            read = () if reads_shape_only(node) else node.inputs()
            found = self._inputs[index] = list(dict.fromkeys(self.canonical[i] for i in read))
        return found

    def base(self, index: int) -> Any:
        """The value of a node in float64: the recorded one where the code ran in float64."""
        index = self.canonical[index]
        if not self.lifted:
            return self.tape.nodes[index].value
        if index not in self._base:
            for i in self._pending(index):
                self._base[i] = self._lifted(self.tape.nodes[i])
        return self._base[index]

    def _pending(self, index: int) -> list[int]:
        wanted, stack = set(), [index]
        while stack:
            i = stack.pop()
            if i not in wanted and i not in self._base:
                wanted.add(i)
                stack.extend(self.inputs(i))
        return sorted(wanted)

    def _lifted(self, node: Node) -> Any:
        if node.op is None and node.kind in ("leaf", "random"):
            return lift(node.value)
        try:
            return self._run(node, {}, self._base)
        except Exception:  # the code insists on its own precision: take what it made
            return lift(node.value)

    def downstream(self, start: Iterable[int]) -> set[int]:
        """The canonical nodes that depend on any of `start`, which are included."""
        found = {self.canonical[i] for i in start}
        stack = list(found)
        while stack:
            for i in self.consumers.get(stack.pop(), ()):
                if i not in found:
                    found.add(i)
                    stack.append(i)
        return found

    def upstream(self, start: Iterable[int], barrier: Collection[int] = ()) -> set[int]:
        """The canonical nodes that any of `start` depends on (included), not searching beyond `barrier`."""
        found: set[int] = set()
        stack = [self.canonical[i] for i in start]
        while stack:
            i = stack.pop()
            if i not in found:
                found.add(i)
                if i not in barrier:
                    stack.extend(self.inputs(i))
        return found

    def _plan(self, replaced: Collection[int], targets: Collection[int], frozen: Collection[int]) -> list[int]:
        key = (frozenset(replaced), frozenset(targets), frozenset(frozen))
        if key not in self._plans:
            below, stack = set(replaced), list(replaced)
            while stack:
                i = stack.pop()
                if i in frozen and i not in replaced:
                    continue
                for j in self.consumers.get(i, ()):
                    if j not in below:
                        below.add(j)
                        stack.append(j)
            needed = self.upstream(targets, barrier=replaced)
            self._plans[key] = sorted((below & needed) - set(replaced))
        return self._plans[key]

    def evaluate(self, targets: Sequence[int], replaced: Mapping[int, Any], frozen: Collection[int] = ()) -> list[Any]:
        """The values of `targets` when the nodes in `replaced` have other values.

        A node in `frozen` is evaluated if it is a target, but what reads it sees its old value: the way to cut the
        paths that lead through it. Raises ReplayError where an operation cannot be evaluated on the new values.
        """
        goals = [self.canonical[i] for i in targets]
        new = {self.canonical[i]: v for i, v in replaced.items()}
        stopped = (frozenset(self.canonical[i] for i in frozen) | self.borders) - new.keys()
        seen = dict(new)  # what the readers see
        results = dict(new)
        self.evaluations += 1
        with np.errstate(all="ignore"):
            for i in self._plan(list(new), goals, stopped):
                node = self.tape.nodes[i]
                try:
                    value = self._run(node, seen, None)
                except Exception as error:
                    where = f" at {node.site.span}" if node.site else ""
                    raise ReplayError(f"cannot evaluate `{_op_name(node)}`{where} again: {error}") from error
                results[i] = value
                if i not in stopped:
                    seen[i] = value
        return [results[i] if i in results else self.base(i) for i in goals]

    def _run(self, node: Node, seen: Mapping[int, Any], base: Mapping[int, Any] | None) -> Any:
        def value_of(ref: Ref) -> Any:
            i = self.canonical[ref.index]
            if i in seen:
                return seen[i]
            return base[i] if base is not None and i in base else self.base(i)

        return run_node(node, value_of, self.lifted)

    def line(
        self, directions: Mapping[int, Any], objective: Objective, frozen: Collection[int] = ()
    ) -> Callable[[complex], complex]:
        """t -> objective(values + t * directions), where `directions` maps nodes to arrays of their shape; t may be complex.

        Raises ReplayError as `evaluate`.
        """
        start = {i: self.base(i) for i in directions}

        def phi(t: complex) -> complex:
            moved = {i: start[i] + t * directions[i] for i in directions}
            total = np.asarray(objective.combine(self.evaluate(objective.nodes, moved, frozen))).reshape(())
            return complex(total) if np.iscomplexobj(total) else float(total)

        return phi


def run_node(node: Node, value_of: Callable[[Ref], Any], lifted: bool) -> Any:
    """One operation on other values: pure, whatever it did in the user's program."""
    args = tuple(_resolve(a, value_of) for a in node.args)
    kwargs = {k: _resolve(v, value_of) for k, v in node.kwargs.items()}
    if node.kind == "write":
        assert node.op is not None
        return apply_write(node.op, *args, promote=True, **kwargs)
    if node.op is None:
        return lift(node.value) if lifted else node.value
    if _any_complex(args) or _any_complex(kwargs):
        op, args, kwargs = analytic(node.op, args, kwargs)
        return op(*args, **kwargs)
    if lifted:
        args, kwargs = adapt_dtypes(args, kwargs, np.float64)
    return node.op(*args, **kwargs)


def _resolve(tree: Any, value_of: Callable[[Ref], Any]) -> Any:
    if isinstance(tree, Ref):
        return value_of(tree)
    if type(tree) in (tuple, list):
        return type(tree)(_resolve(a, value_of) for a in tree)
    if isinstance(tree, tuple):  # a named tuple
        return type(tree)(*(_resolve(a, value_of) for a in tree)) if hasattr(tree, "_fields") else tree
    if type(tree) is dict:
        return {k: _resolve(v, value_of) for k, v in tree.items()}
    if isinstance(tree, slice):
        return slice(*(_resolve(a, value_of) for a in (tree.start, tree.stop, tree.step)))
    return tree


def _any_complex(tree: Any) -> bool:
    if isinstance(tree, (np.ndarray, np.generic)):
        return tree.dtype.kind == "c"
    if isinstance(tree, (tuple, list)):
        return any(_any_complex(a) for a in tree)
    if isinstance(tree, dict):
        return any(_any_complex(a) for a in tree.values())
    return isinstance(tree, complex)


def _is_narrow(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "f" and value.dtype.itemsize < 8


def lift(value: Any) -> Any:
    """A float16 or float32 value in float64; anything else as it is."""
    return value.astype(np.float64) if _is_narrow(value) else value


def _op_name(node: Node) -> str:
    return getattr(node.op, "__name__", None) or node.kind
