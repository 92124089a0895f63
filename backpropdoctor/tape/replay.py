"""Evaluate any part of a tape again with any value replaced: in float64, or in complex numbers for the complex step.

Two operations of the same function on the same inputs are one value (value numbering), so a loss that runs a forward pass
of its own still depends on the intermediate values of the training pass.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from ..errors import ReplayError
from .numbering import number_values, reads_shape_only
from .operation import Prepared, is_narrow, lift, prepared
from .operation import run_node as run_node
from .tape import Index, Node, Ref, Tape

Kept = TypeVar("Kept")


@dataclass(frozen=True, slots=True)
class Objective:
    """A scalar made of values on the tape. Two objectives with the same `key` are the same function.

    What is made of a node in `held` sees its recorded value: the objective is no function of it. An objective with `parts` is
    their sum, each with what it holds still itself.
    """

    key: Hashable
    nodes: tuple[int, ...]
    combine: Callable[[Sequence[Any]], Any]
    held: frozenset[int] = frozenset()
    parts: tuple[Objective, ...] = ()

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

        parts: tuple[Objective, ...] = ()
        if self.parts or other.parts or self.held != other.held:
            parts = (*(self.parts or (self,)), *(other.parts or (other,)))
        held = self.held & other.held
        return Objective((self.key, "+", other.key), (*self.nodes, *other.nodes), combine, held, parts)

    def times(self, scale: float) -> Objective:
        """A multiple of an objective."""

        def combine(values: Sequence[Any]) -> Any:
            return scale * self.combine(values)

        parts = tuple(part.times(scale) for part in self.parts)
        return Objective((self.key, "times", scale), self.nodes, combine, self.held, parts)

    def holding(self, nodes: Iterable[int]) -> Objective:
        """The objective with some values held still."""
        held = self.held | frozenset(nodes)
        return replace(self, key=(self.key, "held", tuple(sorted(held))), held=held)

    def value(self, evaluate: Callable[[Sequence[int], Collection[int]], Sequence[Any]]) -> Any:
        """The scalar, by a function that evaluates nodes while others are held still."""
        total = sum(part.combine(evaluate(part.nodes, part.held)) for part in self.parts or (self,))
        return np.asarray(total).reshape(())


class Replay:
    """The tape as a function of its values.

    All indices that go in or come out are node indices; they are canonical ones inside (`canonical`). What stands in `merged`
    is taken for the same value as the node there.
    """

    def __init__(self, tape: Tape, merged: Mapping[int, int] | None = None) -> None:
        self.tape = tape
        self.index = Index(tape)
        self.canonical = number_values(tape, merged)
        self._base: dict[int, Any] = {}
        self._inputs: dict[int, list[int]] = {}
        self._plans: dict[Any, list[int]] = {}
        self._depending: dict[tuple[frozenset[int], frozenset[int]], tuple[int, set[int]]] = {}
        self._prepared: dict[int, Prepared | None] = {}
        self._borders: frozenset[int] = frozenset()
        self._kept: dict[Callable[[Replay], Any], Any] = {}  # what others found out about this tape
        self.evaluations = 0

    @property
    def borders(self) -> frozenset[int]:
        """The values that updates make: what reads them belongs to a later step."""
        return self._borders

    @borders.setter
    def borders(self, borders: frozenset[int]) -> None:
        self._borders = borders
        self._plans.clear()
        self._depending.clear()

    @cached_property
    def lifted(self) -> bool:
        """Whether the code ran below float64, so that the baseline is computed anew."""
        return any(is_narrow(n.value) for n in self.tape.nodes if n.kind in ("leaf", "random", "op"))

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

    def once(self, make: Callable[[Replay], Kept]) -> Kept:
        """What `make` finds out about this tape, found once for all who ask."""
        if make not in self._kept:
            self._kept[make] = make(self)
        found: Kept = self._kept[make]
        return found

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
        known = self._inputs
        stack = [self.canonical[i] for i in start]
        while stack:
            i = stack.pop()
            if i not in found:
                found.add(i)
                if i not in barrier:
                    stack += known[i] if i in known else self.inputs(i)
        return found

    def depends(self, index: int, on: Collection[int]) -> bool:
        """Whether a value is one of the canonical nodes `on`, or is made of one; nothing older than these is looked at."""
        first = min(on, default=0)
        stack = [self.canonical[index]] if on else []
        seen = set(stack)
        while stack:
            i = stack.pop()
            if i in on:
                return True
            new = {j for j in self.inputs(i) if j >= first} - seen
            seen |= new
            stack += new
        return False

    def _plan(self, replaced: Collection[int], targets: Collection[int], frozen: frozenset[int]) -> list[int]:
        """What is to be evaluated, in order: what depends on `replaced`, and `targets` on it."""
        key = (frozenset(replaced), frozenset(targets), frozen)
        if key not in self._plans:
            below = self._below(key[0], frozen, max(key[1], default=-1))
            needed: set[int] = set()
            stack = [i for i in targets if i in below]
            while stack:
                i = stack.pop()
                if i not in needed:
                    needed.add(i)
                    if i not in key[0]:
                        stack += [j for j in self.inputs(i) if j in below and not (j in frozen or j in self._borders)]
            self._plans[key] = sorted(needed - key[0])
        return self._plans[key]

    def _below(self, replaced: frozenset[int], frozen: frozenset[int], last: int) -> set[int]:
        """What depends on `replaced` up to the node `last`, by the paths that no frozen value and no border cuts."""
        key = (replaced, frozen)
        known = self._depending.get(key)
        if known is None or known[0] < last:
            below, stack = set(replaced), list(replaced)
            while stack:
                i = stack.pop()
                if i in replaced or not (i in frozen or i in self._borders):
                    new = [j for j in self.consumers.get(i, ()) if j <= last and j not in below]
                    below.update(new)
                    stack += new
            known = self._depending[key] = last, below
        return known[1]

    def evaluate(self, targets: Sequence[int], replaced: Mapping[int, Any], frozen: Collection[int] = ()) -> list[Any]:
        """The values of `targets` when the nodes in `replaced` have other values.

        A node in `frozen` is evaluated if it is a target, but what reads it sees its old value: the way to cut the
        paths that lead through it. Raises ReplayError where an operation cannot be evaluated on the new values.
        """
        goals = [self.canonical[i] for i in targets]
        new = {self.canonical[i]: v for i, v in replaced.items()}
        stopped = frozenset(self.canonical[i] for i in frozen)
        seen = dict(new)  # what the readers see
        results = dict(new)
        self.evaluations += 1
        with np.errstate(all="ignore"):
            for i in self._plan(new, goals, stopped):
                results[i] = value = self.run(i, seen)
                if not (i in stopped or i in self._borders):
                    seen[i] = value
        return [results[i] if i in results else self.base(i) for i in goals]

    def run(self, i: int, seen: Mapping[int, Any]) -> Any:
        """The value of a canonical node on what is `seen` of its inputs and the base values of the others.

        Raises ReplayError where that fails.
        """
        if i not in self._prepared:
            self._prepared[i] = prepared(self.tape.nodes[i], self.canonical)
        ready = self._prepared[i]
        try:
            return ready.run(seen, self.base) if ready is not None else self._run(self.tape.nodes[i], seen, None)
        except Exception as error:
            node = self.tape.nodes[i]
            where = f" at {node.site.span}" if node.site else ""
            raise ReplayError(f"cannot evaluate `{_op_name(node)}`{where} again: {error}") from error

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
            total = objective.value(lambda nodes, held: self.evaluate(nodes, moved, (*frozen, *held)))
            return complex(total) if np.iscomplexobj(total) else float(total)

        return phi


def _op_name(node: Node) -> str:
    return getattr(node.op, "__name__", None) or node.kind
