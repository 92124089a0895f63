"""Whether a gradient is one factor times the truth, and which."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .directions import Array, analytic_error, analytic_slope, gaussian
from .estimate import Estimate

Slope = Callable[[Array], Estimate]


@dataclass(frozen=True, slots=True)
class Ratio:
    """The gradient is `value` times the truth, within `error`, in all probes where `consistent`."""

    value: float
    error: float
    consistent: bool
    evaluations: int


def ratio_of(
    slope_of: Slope,
    gradient: Array,
    *,
    probes: int = 3,
    scale_to: Array | None = None,
    seed: int | np.random.Generator = 0,
) -> Ratio | None:
    """Whether the gradient is exactly c times the truth, and c: from `probes` directions, the last of them unfitted.

    None where the truth is zero within its bars or fewer than two directions could be measured; `consistent` is False
    where the directions disagree.
    """
    gradient = np.asarray(gradient)
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
    pairs: list[tuple[float, float, Estimate]] = []
    for _ in range(max(2, probes)):
        u = gaussian(gradient.shape, rng, scale_to)
        pairs.append((analytic_slope(gradient, u), analytic_error(gradient, u), slope_of(u)))
    return fit_ratio(pairs)


def fit_ratio(pairs: list[tuple[float, float, Estimate]]) -> Ratio | None:
    """The same from measurements at hand: (analytic slope, its bar, measured slope) for two directions or more.

    The ratio is that of the direction that fixes it best; every other direction must agree with it.
    """
    spent = sum(m.evaluations for _, _, m in pairs)
    known = [(a, b, m) for a, b, m in pairs if math.isfinite(m.value) and abs(m.value) > 10 * m.error]
    if len(known) < 2:
        return None
    fits = [(a / m.value, (b + abs(a / m.value) * m.error) / abs(m.value)) for a, b, m in known]
    value, error = min(fits, key=lambda fit: fit[1])
    consistent = all(abs(v - value) <= e + error for v, e in fits)
    return Ratio(value + 0.0, error, consistent, spent)
