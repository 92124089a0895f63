"""The adjoints of many values at once: one walk backwards over the tape, with local derivatives that are measured.

A walk needs, for each operation, what a cotangent of its result makes of its inputs. No table of derivatives gives that:
each operation is run on inputs with a complex step (`pullback`). Where one cannot be pulled back, the values before it
have no adjoint here, and their slopes are measured one by one.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np

from ..errors import ReplayError
from .pullback import NotPulled, add, pullback
from .replay import Objective, Replay

_MOST_ELEMENTS = 256  # of a value that an objective combines: as many evaluations give its gradient
_STEP = 1e-30


class Sweep:
    """The adjoints of an objective for the values it is made of, each worked out when it is asked for first."""

    def __init__(self, replay: Replay, objective: Objective) -> None:
        self.replay = replay
        self.objective = objective
        self._found: dict[int, Any] = {}
        self._region: set[int] | None = None
        self._ends: dict[int, Any] = {}
        self._runs = 0.0

    def adjoint(self, node: int) -> Any:
        """The derivative of the objective by the value of a canonical node, in its shape; None where that is unknown."""
        if self._region is None:
            self._region = self.replay.upstream(self.objective.nodes, barrier=self.replay.borders)
            self._ends = self._gradient()
        if node not in self._found:
            for i in sorted(self._asked(node), reverse=True):
                self._found[i] = self._worked_out(i)
        return self._found[node] if _is_float(self.replay.base(node)) else None

    def _asked(self, node: int) -> set[int]:
        """What the objective sees of a node, as far as it is not known yet."""
        assert self._region is not None
        wanted, stack = {node}, [node]
        while stack:
            for j in self.replay.consumers.get(stack.pop(), ()):
                if j in self._region and j not in wanted and j not in self._found and j not in self.replay.borders:
                    wanted.add(j)
                    stack.append(j)
        return wanted

    def _worked_out(self, i: int) -> Any:
        """The sum of what the operations that read a value make of their own adjoints."""
        assert self._region is not None
        total = self._ends.get(i, 0.0)
        value = self.replay.base(i)
        if total is None or not _is_float(value):
            return 0.0 if total is not None and _is_discrete(value) else None
        for j in self.replay.consumers.get(i, ()):
            cut = j in self.replay.borders or j in self.objective.held
            if j not in self._region or (cut and j not in self._ends):
                continue
            after = self._ends[j] if cut else self._found[j]
            if after is None:
                return None
            try:
                part, runs = pullback(self.replay, j, i, after)
            except (NotPulled, ReplayError, TypeError, ValueError, ArithmeticError):
                return None
            self._count(runs)
            total = add(total, part)
        return total

    def _count(self, runs: int) -> None:
        """As many operations as the objective has are an evaluation of it."""
        assert self._region is not None
        before = ceil(self._runs)
        self._runs += runs / max(len(self._region), 1)
        self.replay.evaluations += ceil(self._runs) - before

    def _gradient(self) -> dict[int, Any]:
        """The derivatives of the objective by the values it combines."""
        goals = [self.replay.canonical[i] for i in self.objective.nodes]
        values = [self.replay.base(i) for i in goals]
        found: dict[int, Any] = {}
        for k, (i, value) in enumerate(zip(goals, values, strict=True)):
            part = self._by_value(values, k) if np.size(value) <= _MOST_ELEMENTS else None
            found[i] = None if part is None or (i in found and found[i] is None) else add(found.get(i, 0.0), part)
        return found

    def _by_value(self, values: list[Any], k: int) -> Any:
        flat = np.zeros(np.size(values[k]))
        for n in range(flat.size):
            moved = np.array(values[k], dtype=complex)
            moved.ravel()[n] += 1j * _STEP
            try:
                combined = self.objective.combine([*values[:k], moved, *values[k + 1 :]])
            except (TypeError, ValueError, ArithmeticError):
                return None
            flat[n] = np.imag(np.asarray(combined).reshape(())) / _STEP
        return flat.reshape(np.shape(values[k])) if np.all(np.isfinite(flat)) else None


def _is_float(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "f")


def _is_discrete(value: Any) -> bool:
    """Whether a value cannot move: an index, a mask."""
    return isinstance(value, int) or (isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biu")
