"""How noisy a computed function is: ECnoise.

J. J. Moré and S. M. Wild, Estimating computational noise, SIAM J. Sci. Comput. 33 (2011), section 4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .estimate import Line
from .sampler import EPS, Sampler

_SPACING: dict[type, float] = {
    np.float16: 3e-2,
    np.float32: 1e-4,
    np.float64: 1e-7,
}  # far above the roundoff of x, far below its scale
_FLOOR = 0.25  # of the rounding of the value: a loss is never known better, whatever equal samples say
_POINTS = 7  # from t = 0 to one side, so that a kink at 0 itself does no harm
_SUSPECT = 500.0  # roundings: more may come from a kink between the points, and a closer look is taken


@dataclass(frozen=True, slots=True)
class Noise:
    """Standard deviation `level` of the noise of a function of size `magnitude`; 0 only for a function that is 0."""

    level: float
    evaluations: int
    magnitude: float

    @property
    def relative(self) -> float:
        """The level relative to the function's size, kept within [1e-17, 0.1]."""
        return min(max(self.level / self.magnitude, 1e-17), 0.1) if self.magnitude > 0 else EPS


def ecnoise(values: Sequence[float]) -> float | None:
    """The noise level of equally spaced samples of a smooth function, or None where they do not show it.

    sigma_k = sqrt(gamma_k mean(D_k^2)), gamma_k = (k!)^2 / (2k)!, from the k-th differences D_k; accepted where three
    consecutive levels agree within a factor of 4 and the differences change sign. Needs 6 or more values.
    """
    row = np.asarray(values, dtype=float)
    count = len(row)
    if count < 6 or not np.all(np.isfinite(row)):
        return None
    if np.count_nonzero(np.diff(row) == 0) >= count / 2:
        return None  # the spacing is too small to show the noise
    gamma, levels, signs = 1.0, [], []
    for k in range(1, count - 1):
        row = np.diff(row)
        gamma *= 0.5 * k / (2 * k - 1)
        levels.append(math.sqrt(gamma * float(np.mean(row**2))))
        signs.append(bool(row.min() * row.max() < 0))
    for k in range(len(levels) - 2):
        three = levels[k : k + 3]
        if max(three) <= 4 * min(three) and signs[k]:
            return levels[k]
    return None


def noise_of(phi: Line, scale: float = 1.0, *, base: float | None = None) -> Noise:
    """The noise level of phi near 0, from 7 samples (6 calls where phi(0) is given as `base`).

    `scale` is the distance in t over which phi changes by its own size. Where the samples are exact in float32 or
    float16, and where they come out equal (a loss rounded for printing), they are taken further apart.
    """
    sampler = Sampler(phi, base)
    spacing, expected = _spacing(sampler, scale)
    level: float | None = None
    flat = False  # values came out equal: the loss is rounded
    while level is None and spacing <= scale:
        values = [sampler.at(k * spacing) for k in range(_POINTS)]
        if not all(map(math.isfinite, values)) or len(set(values)) == 1 and sampler.evaluations > 15:
            break
        if len(set(values)) > 3:
            level = max(_level(values), _quantum(values) if flat else 0.0)
            if not flat and level > _SUSPECT * expected * sampler.magnitude:
                level = min(level, _level([sampler.at(k * spacing / 64) for k in range(_POINTS)]))
        elif len(set(values)) > 1 and expected > EPS:
            break  # steps of one rounding or two: the floor says it
        flat = flat or len(set(values)) <= 3
        spacing *= 1000
    size = sampler.magnitude
    return Noise(max(level or 0.0, _FLOOR * expected * size), sampler.evaluations, size)


def _level(values: Sequence[float]) -> float:
    level = ecnoise(values)
    return _fallback(values) if level is None else level


def _quantum(values: Sequence[float]) -> float:
    """The noise of rounding, where all differences are multiples of the smallest one; else 0."""
    differences = np.abs(np.diff(np.asarray(values)))
    step = float(np.min(differences[differences > 0]))
    multiples = differences / step
    return step / math.sqrt(12) if np.all(np.abs(multiples - np.round(multiples)) < 1e-3) else 0.0


def _fallback(values: Sequence[float]) -> float:
    """The least noise that the higher differences allow: used where no three levels agree."""
    row, gamma, levels = np.asarray(values, dtype=float), 1.0, []
    for k in range(1, len(values) - 1):
        row = np.diff(row)
        gamma *= 0.5 * k / (2 * k - 1)
        levels.append(math.sqrt(gamma * float(np.mean(row**2))))
    return min(levels[1:])


def _spacing(sampler: Sampler, scale: float) -> tuple[float, float]:
    """How far apart to sample, and the rounding to expect: those of the precision that three values have."""
    near = _SPACING[np.float64] * scale
    kinds = [_precision(sampler.at(0.0))]
    if kinds[0] is not np.float64:
        kinds += [_precision(sampler.at(near)), _precision(sampler.at(2 * near))]
    kind = min(kinds, key=lambda k: _SPACING[k])
    return _SPACING[kind] * scale, float(np.finfo(kind).eps)


def _precision(value: float) -> type:
    """The narrowest float type that holds the value exactly: what the code computed in."""
    if value == 0 or not math.isfinite(value):
        return np.float64
    with np.errstate(all="ignore"):
        for kind in (np.float16, np.float32):
            if float(kind(value)) == value and abs(value) > np.finfo(kind).tiny:
                return kind
    return np.float64
