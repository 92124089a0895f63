"""Which edits are worth a replay first: those whose value is the adjoint of something, at the first moment of the statement.

Whatever the backward pass does later, a value that is parallel to a true adjoint along two directions did not get there by
chance. It proves nothing (the gradients do), but it is known at once, without evaluating anything after the statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...tape.adjoint import SAME, Tensor
from ..blame import Blame
from .trial import SEARCH, Trial

_ROOM = 10 * SAME  # the verdict has no less
_MOST_TARGETS = 120  # of one shape, the latest ones: nearest to the loss, where a backward pass begins


class Guide:
    """Holds the values that edited statements make against the adjoints of all forward values of their shape."""

    def __init__(self, blame: Blame, trial: Trial) -> None:
        self.blame = blame
        self.trial = trial
        self._adjoints: dict[tuple[int, ...], list[tuple[np.ndarray, np.ndarray]]] = {}

    def likes(self, values: Sequence[Any]) -> bool:
        """Whether one of the values is a multiple of a true adjoint."""
        return any(self._is_adjoint(v) for v in values)

    def _is_adjoint(self, value: Any) -> bool:
        if not isinstance(value, (np.ndarray, np.floating, float)):
            return False
        made = np.asarray(value)
        if made.dtype.kind != "f" or not made.size:
            return False
        shape = tuple(n for n in made.shape if n != 1)
        if shape not in self._adjoints:
            self._adjoints[shape] = list(self._known(shape))
        flat = made.ravel()
        for directions, slopes in self._adjoints[shape]:
            with np.errstate(all="ignore"):
                mine = directions @ flat
            if self._parallel(mine, slopes, made.size):
                return True
        return False

    def _parallel(self, mine: np.ndarray, slopes: np.ndarray, size: int) -> bool:
        if not np.all(np.isfinite(mine)) or not mine[0] or not slopes[0]:
            return False
        if size == 1:  # any two numbers are parallel
            ratio = abs(mine[0] / slopes[0])
            return any(abs(ratio - good) <= _ROOM * abs(good) for good in self.trial.good_ratios)
        left, right = mine[0] * slopes[1], mine[1] * slopes[0]
        return bool(abs(left - right) <= _ROOM * (abs(left) + abs(right)))

    def _known(self, shape: tuple[int, ...]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Two directions and the slopes of the loss along them, for each forward value of a shape."""
        found = []
        for target in self.blame.cotangents.targets.get(shape, ())[-_MOST_TARGETS:]:
            slopes = [self._slope(target, number) for number in SEARCH]
            if None not in slopes:
                directions = np.array([self.trial.adjoints.direction(target, number).ravel() for number in SEARCH])
                found.append((directions, np.array(slopes)))
        return found

    def _slope(self, target: int, number: int) -> float | None:
        found = self.trial.adjoints.slope(Tensor("", (target,)), self.trial.objective, number, crude=True)
        return None if found is None else found.value
