"""Which edits are worth a replay first: those whose value is an adjoint, or a share of one, at the statement's first moment.

Whatever the backward pass does later, a value that is parallel to a true adjoint along two directions did not get there by
chance. It proves nothing (the gradients do), but it is known at once, without evaluating anything after the statement.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...tape.adjoint import SAME, Tensor
from ..blame import Blame
from ..blame_first import shares_of
from .trial import SEARCH, Trial

_ROOM = 10 * SAME  # the verdict has no less
_MOST_TARGETS = 120  # of one shape, the latest ones before a statement: nearest to where its backward pass begins


class Guide:
    """Holds the values that edited statements make against the adjoints of all forward values of their shape."""

    def __init__(self, blame: Blame, trial: Trial) -> None:
        self.blame = blame
        self.trial = trial
        self._adjoints: dict[tuple[tuple[int, ...], int], tuple[np.ndarray, np.ndarray]] = {}

    def likes(self, values: Sequence[Any], at: int) -> bool:
        """Whether one of the values is a multiple of a true adjoint, or of what one reader of a value passes on to it.

        `at` is when they were made: a step over many samples has the forward pass of each before its backward pass.
        """
        return any(self._is_adjoint(v, at) for v in values)

    def _is_adjoint(self, value: Any, at: int) -> bool:
        if not isinstance(value, (np.ndarray, np.floating, float)):
            return False
        made = np.asarray(value)
        if made.dtype.kind != "f" or not made.size:
            return False
        shape = tuple(n for n in made.shape if n != 1)
        targets = self.blame.cotangents.targets.get(shape, [])
        start = max(0, bisect_left(targets, at) - _MOST_TARGETS)
        if (shape, start) not in self._adjoints:
            self._adjoints[shape, start] = self._known(shape, targets[start : start + _MOST_TARGETS])
        directions, slopes = self._adjoints[shape, start]
        with np.errstate(all="ignore"):
            return self._parallel(directions @ made.ravel(), slopes, made.size)

    def _parallel(self, mine: np.ndarray, slopes: np.ndarray, size: int) -> bool:
        """Whether a value is parallel to any adjoint: `mine` and `slopes` are two rows, a number for each target."""
        known = np.isfinite(mine).all(axis=0) & (mine[0] != 0) & (slopes[0] != 0)
        if size == 1:  # any two numbers are parallel
            ratios = np.abs(mine[0] / slopes[0])
            return any(bool(np.any(known & (np.abs(ratios - r) <= _ROOM * abs(r)))) for r in self.trial.good_ratios)
        left, right = mine[0] * slopes[1], mine[1] * slopes[0]
        return bool(np.any(known & (np.abs(left - right) <= _ROOM * (np.abs(left) + np.abs(right)))))

    def _known(self, shape: tuple[int, ...], targets: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Two directions of each of some forward values of a shape, and the slopes of the loss along them."""
        directions: list[list[np.ndarray]] = []
        found: list[list[Any]] = []
        for target in targets:
            slopes = [self._slope(target, number) for number in SEARCH]
            if None not in slopes:
                directions.append([self.trial.adjoints.direction(target, number).ravel() for number in SEARCH])
                found.append(slopes)
            for share in self._shares(target):
                directions.append([self.trial.adjoints.direction(target, number).ravel() for number in SEARCH])
                found.append([float(np.dot(row, share)) for row in directions[-1]])
        size = int(np.prod(shape))
        return np.array(directions).reshape(-1, 2, size).swapaxes(0, 1), np.array(found, dtype=float).reshape(-1, 2).T

    def _shares(self, target: int) -> list[np.ndarray]:
        shares = shares_of(self.blame, target).values()
        size = np.size(self.blame.nodes[target].value)
        return [np.ravel(s) for s in shares if np.size(s) == size and np.all(np.isfinite(s))]

    def _slope(self, target: int, number: int) -> float | None:
        found = self.trial.adjoints.slope(Tensor("", (target,)), self.trial.objective, number, crude=True)
        return None if found is None else found.value
