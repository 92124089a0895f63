"""The states of optimisers: what outlives a step besides the parameters."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..tape.adjoint import is_broadcast
from ..tape.algebra import DIV, is_any
from ..tape.steps import Update
from ..tape.tape import Node, Ref

if TYPE_CHECKING:
    from .updated import Updated

_NOT_ELEMENTWISE = {
    "dot",
    "matmul",
    "outer",
    "einsum",
    "tensordot",
    "inner",
    "kron",
    "convolve",
    "correlate",
    "transpose",
    "full",
    "full_like",
    "repeat",
    "tile",
}


class States:
    """The states on a tape."""

    def __init__(self, updated: Updated) -> None:
        self.updated = updated
        self.steps = updated.steps
        self.replay = updated.replay
        self.nodes = updated.nodes
        self.canon = updated.canon

    @cached_property
    def updates(self) -> dict[int, Update]:
        """The updates of what outlives a step besides the parameters (a momentum, a second moment), by their new node.

        Such a state is fed with gradients: what no parameter moves (where a game stands, a counter) is data.
        """
        live = self.replay.downstream(o for _, o in self.updated.updates)
        own = {self.canon[i] for u, o in self.updated.updates for i in (u.old, u.new, o)}
        found: dict[int, Update] = {}
        sites = set()
        for update in self.steps.updates:
            new, start = self.canon[update.new], self.updated.starts[update.new]
            fed = any(self.canon[t.node] in live for t in update.terms)
            if new in own or not fed or self.steps.is_accumulator(update):
                continue
            if self.canon[update.old] in own:  # a sum that starts with a parameter: a bias, and on from there
                own.add(new)
                continue
            unknown = not self.steps.tape.iterations  # where no loop was told apart, any value may outlive a step
            old = self._shrunk(update.old)
            if old < start or (start == 0 and (unknown or self.nodes[old].kind == "leaf")):
                found[new] = update
                sites.add(update.site)
        for update in self.steps.updates:  # the first step, where a state is still the zeros it was made with
            if update.site in sites and self.canon[update.new] not in own:
                found.setdefault(self.canon[update.new], update)
        return found

    def _shrunk(self, old: int) -> int:
        """What a value at its place was a moment before, where a number made it smaller: `v *= mu` before `v -= lr * g`."""
        split = self.steps.algebra.scalar_split(old)
        before = self.updated.before.get(old)
        return before if split is not None and before is not None and split[1].index == before else old

    def make(self, index: int) -> bool:
        """Whether a node is made of a state by operations on its elements."""
        return bool(self.updates) and any(i in self.updates or i in self._held for i in self._elementwise(index))

    def fed(self, ends: Sequence[int], live: Collection[int]) -> set[int]:
        """What the states behind a step of one number are fed with, without factors and powers.

        Where all values are numbers, no product of matrices tells where the backward pass ends and the optimiser begins.
        """
        states = self.updates
        found: set[int] = set()
        reached = self.replay.upstream(ends, barrier={*states, *self.updated.borders})
        for state in (states[i] for i in reached if i in states):
            found |= {self._bare(self.canon[t.node], live) for t in state.terms}
        return {i for i in found if i in live}

    def _bare(self, i: int, live: Collection[int]) -> int:
        """A number without its factors that no parameter goes into, and without a power of its own."""
        while True:
            node = self.nodes[i]
            name, inputs = node.name, set(self.replay.inputs(i))
            split = self.steps.algebra.scalar_split(i)
            if name in ("pow", "power", "square", "neg", "negative", "abs", "sqrt") or (name == "mul" and len(inputs) == 1):
                inputs = {j for j in inputs if j in live}
            elif split is not None:
                inputs = {j for j in inputs if j in live} if len(inputs) > 1 else inputs
            else:
                return i
            if len(inputs) != 1:
                return i
            i = inputs.pop()

    @cached_property
    def _held(self) -> set[int]:
        """What the states held before their updates: a step may read them before they change."""
        return {self.canon[i] for u in self.updates.values() for i in (u.old, self._shrunk(u.old))}

    @cached_property
    def _ends(self) -> set[int]:
        """The states and the parameters after their updates."""
        return {*self.updates, *(self.canon[u.new] for u, _ in self.updated.updates)}

    @cached_property
    def _origins(self) -> set[int]:
        """The parameters as the forward pass reads them."""
        return {self.canon[o] for _, o in self.updated.updates}

    def _elementwise(self, index: int) -> Iterator[int]:
        """The node and what it is made of by operations on its elements; states are not looked into.

        What it is divided by may be made of smaller values too, such as the second moments of rows and columns. A parameter
        is made of the step before it, which is none of this one; what is added to it makes a point to look ahead at.
        """
        shape, ends = _shape(self.nodes[index].value), self._ends
        seen: set[int] = set()
        stack = [(self.canon[index], False)]
        while stack:
            i, divides = stack.pop()
            own = _shape(self.nodes[i].value)
            if i in seen or (own != shape and not (divides and own and is_broadcast(own, shape))):
                continue
            seen.add(i)
            yield i
            inputs = self.replay.inputs(i)
            if i not in ends and is_elementwise(self.nodes[i]) and self._origins.isdisjoint(inputs):
                divisor = self._divisor(i)
                stack.extend((j, divides or j == divisor) for j in inputs)

    def _divisor(self, i: int) -> int | None:
        node = self.nodes[i]
        if not is_any(node.op, DIV) or len(node.args) != 2 or not isinstance(node.args[1], Ref):
            return None
        return self.canon[node.args[1].index]


def _shape(value: Any) -> tuple[int, ...]:
    return value.shape if isinstance(value, (np.ndarray, np.generic)) else np.shape(value)


def is_elementwise(node: Node) -> bool:
    """Whether a node works element by element on inputs of its own shape."""
    name = node.name
    return node.kind == "op" and name not in _NOT_ELEMENTWISE and name not in ("getitem", "sum", "mean", "array")
