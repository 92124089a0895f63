"""A line evaluated at most once at each point, with the number of calls counted."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from .estimate import Line

EPS = float(np.finfo(np.float64).eps)


class Sampler:
    """Calls a line phi(t) and remembers the values; `evaluations` counts the calls.

    `base` is phi(0) where it is already known. Warnings of floating-point arithmetic are silenced during the calls: a
    perturbed point may leave the domain of a logarithm, and the value says so.
    """

    def __init__(self, phi: Line, base: float | None = None) -> None:
        self.phi = phi
        self.evaluations = 0
        self._known: dict[float, float] = {} if base is None else {0.0: float(base)}

    def at(self, t: float) -> float:
        """phi(t) as a float, nan where the call does not give a real number."""
        if t not in self._known:
            self.evaluations += 1
            with np.errstate(all="ignore"):
                self._known[t] = _real(self.phi(t))
        return self._known[t]

    def complex_at(self, t: complex) -> complex:
        """phi(t) for complex t; raises whatever the code raises, and where it drops the imaginary part by a cast."""
        self.evaluations += 1
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            value: Any = self.phi(t)
        return complex(np.asarray(value).reshape(-1)[0]) if np.size(value) == 1 else complex(math.nan, math.nan)

    @property
    def quotients(self) -> tuple[tuple[float, float], ...]:
        """The central differences (step, value) between the values that are known, from wide to narrow."""
        steps = sorted((t for t in self._known if t > 0 and -t in self._known), reverse=True)
        return tuple((h, (self._known[h] - self._known[-h]) / (2 * h)) for h in steps)

    @property
    def constant(self) -> bool:
        """Whether phi has given one and the same value wherever it was called."""
        return len(set(self._known.values())) == 1

    @property
    def magnitude(self) -> float:
        """The largest |phi| seen so far."""
        return max((abs(v) for v in self._known.values() if math.isfinite(v)), default=0.0)


def _real(value: Any) -> float:
    array = np.asarray(value)
    if array.size != 1:
        return math.nan
    number = array.reshape(-1)[0]
    if isinstance(number, (complex, np.complexfloating)):
        return float(number.real) if number.imag == 0 else math.nan
    return float(number)
