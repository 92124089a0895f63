"""How forward values move when a parameter does, and what of the loss's slope goes through them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ReplayError
from ..numeric.estimate import Estimate
from ..tape.adjoint import Tensor, shaped

if TYPE_CHECKING:
    from .blame_values import Values

_STEP = 1e-30  # of the complex step
_MOST_INSIDE = 6000  # forward values that are told how they move
_MOST_BITS = 10_000  # forward values of which it is known which are made of which
_WORK = 2_000_000  # recorded operations that may be evaluated again for all cuts of a step

Move = dict[int, Any]  # by the canonical nodes of values; a number for a value without axes


class Moves:
    """The moves of values along the directions of parameters, or of other forward values, each measured once."""

    def __init__(self, values: Values) -> None:
        self.adjoints, self.replay, self.objective = values.adjoints, values.replay, values.objective
        self.cotangents = values.cotangents
        self.work = 0
        self._inside: dict[int, list[int]] = {}
        self._below: dict[int, list[int]] = {}
        self._free: dict[tuple[int, int], Move | None] = {}
        self._frozen: dict[tuple[int, int, tuple[int, ...]], Move | None] = {}
        self._slopes: dict[tuple[int, int], Estimate | None] = {}
        self._apart: dict[tuple[int, ...], bool] = {}
        self.forward = values.cotangents.loss.nodes & values.cotangents.live

    def inside(self, node: int) -> list[int]:
        """The forward values between a parameter and the loss, the parameter itself included, negations left out."""
        if node not in self._inside:
            kept = (i for i in self.below(node) if not self.cotangents.is_negation(i))
            self._inside[node] = sorted({node, *kept})[:_MOST_INSIDE]
        return self._inside[node]

    def below(self, node: int) -> list[int]:
        """The forward values that depend on one."""
        if node not in self._below:
            below, stack = {node}, [node]
            while stack:
                new = [i for i in self.replay.consumers.get(stack.pop(), ()) if i in self.forward and i not in below]
                below.update(new)
                stack += new
            self._below[node] = sorted(below & self.cotangents.forward)
        return self._below[node]

    def free(self, node: int, number: int) -> Move | None:
        """How all values between a parameter and the loss move along direction `number` of the parameter."""
        if (node, number) not in self._free:
            self._free[node, number] = self._moved(node, number, self.inside(node), ())
        return self._free[node, number]

    def first(self, node: int, number: int, targets: tuple[int, ...]) -> Move | None:
        """How some values move by the paths that meet no other one of them before."""
        if self.are_apart(targets):
            return self.free(node, number)
        wanted = tuple(sorted(set(targets)))
        key = (node, number, wanted)
        if key not in self._frozen:
            self._frozen[key] = self._moved(node, number, wanted, wanted)
        return self._frozen[key]

    def through(self, node: int, number: int, cotangents: Sequence[tuple[int, Any]]) -> tuple[float, float] | None:
        """What some forward values pass on where they have these cotangents, by the paths that meet no other one of them
        before, and its error; None where that is not known from how all values move.
        """
        targets = tuple(t for t, _ in cotangents)
        moves = self.free(node, number) if len(set(targets)) == len(targets) and self.are_apart(targets) else None
        if moves is None or any(t not in moves for t in targets):
            return None
        found = [paired(cotangent, moves[t]) for t, cotangent in cotangents]
        return sum(value for value, _ in found), 1e-13 * sum(size for _, size in found)

    def rest(self, node: int, number: int, targets: tuple[int, ...], moves: Move) -> tuple[float, float] | None:
        """The derivative of the loss along a direction by the paths that avoid the targets, and its error.

        That is all of it less what goes through the targets: <adjoint, move>, where the adjoints are known. A path counts
        for the first target that it meets: `moves` are those of `first`.
        """
        if node in targets:
            return 0.0, 0.0
        through = self._through(targets, moves)
        if (node, number) not in self._slopes:
            self._slopes[node, number] = self.adjoints.slope(Tensor("", (node,)), self.objective, number, crude=True)
        whole = self._slopes[node, number]
        if through is not None and whole is not None:
            return whole.value - through[0], 1e-13 * (abs(whole.value) + through[1])
        if not self._afford(node):
            return None
        slope = self.adjoints.slope(Tensor("", (node,)), self.objective, number, targets, crude=True)
        return None if slope is None else (slope.value, 0.0)

    def _through(self, targets: tuple[int, ...], moves: Move) -> tuple[float, float] | None:
        """The sum of <adjoint, move> over the targets and its size; None where an adjoint is not known."""
        total = size = 0.0
        for t in dict.fromkeys(targets):
            adjoint = self.adjoints.adjoint(t, self.objective)
            if adjoint is None:
                return None
            one, large = paired(adjoint, moves[t])
            total, size = total + one, size + large
        return total, size

    def are_apart(self, targets: tuple[int, ...]) -> bool:
        """Whether none of some values of the forward pass is made of another one."""
        if targets not in self._apart:
            self._apart[targets] = len(set(targets)) == 1 or self._found_apart(targets)
        return self._apart[targets]

    def _found_apart(self, targets: tuple[int, ...]) -> bool:
        together = 0
        for t in targets:
            together |= 1 << self._bits[t] if t in self._before else 0
        return all(t in self._before and not self._before[t] & together for t in targets)

    @cached_property
    def _bits(self) -> dict[int, int]:
        return {i: k for k, i in enumerate(sorted(self.forward))}

    @cached_property
    def _before(self) -> dict[int, int]:
        """For each value of the forward pass those that it is made of, a bit for each."""
        found: dict[int, int] = {}
        for i in self._bits if len(self._bits) <= _MOST_BITS else ():
            made_of = 0
            for j in self.replay.inputs(i):
                if j in found:
                    made_of |= found[j] | 1 << self._bits[j]
            found[i] = made_of
        return found

    def _moved(self, node: int, number: int, targets: Sequence[int], frozen: tuple[int, ...]) -> Move | None:
        if not self._afford(node):
            return None
        u = self.adjoints.direction(node, number)
        others = [t for t in targets if t != node]
        try:
            values = self.replay.evaluate(others, {node: self.replay.base(node) + 1j * _STEP * u}, frozen)
        except (ReplayError, TypeError, ValueError, ArithmeticError):
            return None
        found = {t: _slope(v) for t, v in zip(others, values, strict=True)}
        return {**found, node: u if np.ndim(u) else float(u)} if node in targets else found

    def _afford(self, node: int) -> bool:
        self.work += len(self.inside(node))
        return self.work <= _WORK


def _slope(value: Any) -> Any:
    """What a complex step made of a value: a number, or an array of its shape."""
    if isinstance(value, complex):  # one of NumPy's too
        return float(value.imag) / _STEP
    slope = np.imag(np.asarray(value)) / _STEP
    return slope if np.ndim(slope) else float(slope)


def paired(cotangent: Any, move: Any) -> tuple[float, float]:
    """<cotangent, move> and the size of what was added up. Raises ValueError where they do not fit."""
    if isinstance(move, float):
        is_plain = isinstance(cotangent, float) or np.ndim(cotangent) == 0
        through = float(cotangent if is_plain else np.sum(shaped(cotangent, ()))) * move
        return through, abs(through)
    products = (shaped(cotangent, np.shape(move)) if np.ndim(cotangent) else cotangent) * move
    return float(products.sum()), float(np.abs(products).sum())
