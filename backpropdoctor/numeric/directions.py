"""Random directions, and how likely they are to miss an error.

For a Gaussian direction u, the effect e.u of an error e is normal with standard deviation |e|: within a bar tau of
zero with a probability of 0.798 tau / |e|, and so in K independent directions with the K-th power of it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .sampler import EPS

Array = NDArray[Any]

_DENSITY = math.sqrt(2 / math.pi)
_ROUNDING = 16.0  # roundings that one element of a hand-written gradient goes through, with room
_SHIFT = 3.0  # of a direction along the gradient, and the least slope it may be left with, in standard deviations
_LEAST = 1.0
_KEPT = 0.977  # the part of all directions that have that slope


def gaussian(
    shape: tuple[int, ...],
    seed: int | np.random.Generator = 0,
    scale_to: Array | None = None,
) -> Array:
    """A Gaussian direction of this shape, float64; sign-symmetric, so no sign of an error can hide.

    With `scale_to` (the block's values) it has the block's root mean square, or 1 where the block is zero: then t = 1
    moves the block by its own size.
    """
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
    return rng.standard_normal(shape) * (1.0 if scale_to is None else size_of(scale_to))


def telling(
    gradient: Array,
    seed: int | np.random.Generator = 0,
    scale_to: Array | None = None,
    *,
    steep: bool = False,
) -> Array:
    """A Gaussian direction shifted by 3 standard deviations along this gradient, up or down, for a clear slope.

    An error in the scale of the whole gradient is then never missed by bad luck. Any other error e is missed no more
    often than `power` says: e.u is normal with standard deviation |e| about a shifted mean, and so no denser at zero.
    Directions with |g.u| below one standard deviation (1 in 44) are drawn again. No evaluation is spent. A `steep` one
    is shifted as far as the random part is long: the largest slope, and the clearest against noise, of a direction that
    is still random.
    """
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
    g = np.asarray(gradient, dtype=np.float64)
    size = 1.0 if scale_to is None else size_of(scale_to)
    norm = norm_of(g)
    direction = gaussian(g.shape, rng)
    if not (norm > 0 and math.isfinite(norm)):
        return direction * size
    unit = g / norm
    sign = 1.0 if rng.random() < 0.5 else -1.0
    shift = max(_SHIFT, math.sqrt(g.size)) if steep else _SHIFT
    while sign * float(np.vdot(unit, direction)) + _SHIFT < _LEAST:
        direction = gaussian(g.shape, rng)
    return (direction + sign * shift * unit) * size


def norm_of(block: Array) -> float:
    """The Euclidean norm, without overflow or underflow."""
    values = np.asarray(block, dtype=np.float64)
    top = float(np.max(np.abs(values), initial=0.0))
    return top * float(np.linalg.norm(values / top)) if 0 < top < math.inf else top


def size_of(block: Array) -> float:
    """The root mean square of a block, 1.0 where it is zero, empty or not finite."""
    values = np.asarray(block, dtype=np.float64)
    if values.size == 0:
        return 1.0
    with np.errstate(all="ignore"):
        top = float(np.max(np.abs(values)))
        if not (math.isfinite(top) and top > 0):
            return 1.0
        return top * math.sqrt(float(np.mean((values / top) ** 2)))


def analytic_slope(gradient: Array, direction: Array) -> float:
    """<g, u> in float64."""
    return float(np.vdot(np.asarray(gradient, dtype=np.float64), np.asarray(direction, dtype=np.float64)))


def analytic_error(gradient: Array, direction: Array, *, dtype: Any = None, spread: float = 0.0) -> float:
    """The roundoff of <g, u>: 16 eps(dtype) sum|g_i u_i| + 4 `spread`.

    `dtype` is the type the gradient was computed in (the array's own by default); `spread` is how far <g, u> moved when
    the gradient was computed again at parameters a few units in the last place away, where that was done.
    """
    kind = np.dtype(dtype if dtype is not None else np.asarray(gradient).dtype)
    eps = float(np.finfo(kind).eps) if kind.kind == "f" else EPS
    total = float(np.sum(np.abs(np.asarray(gradient, dtype=np.float64) * direction)))
    return _ROUNDING * max(eps, EPS) * total + 4 * spread


def power(tau: float, norm: float, k: int = 1) -> float:
    """The probability that an error of this norm stays within the bar `tau` in k independent Gaussian directions.

    `norm` is the error's norm times the size of the directions.
    """
    if norm <= 0:
        return 1.0
    return min(1.0, _DENSITY * tau / norm / _KEPT) ** k


def power_sentence(tau: float, gradient_norm: float, k: int = 1) -> str:
    """What a pass is worth, in words, for a bar `tau` on <g, u>; `gradient_norm` is |g| times the size of u.

    The smallest error, as a power of ten of |g|, that would be missed with p < 1e-6; else with p < 1e-3.
    """
    if not (gradient_norm > 0 and math.isfinite(tau)):
        return ""
    for limit in (1e-6, 1e-3):
        needed = _DENSITY * tau / _KEPT / limit ** (1 / k) / gradient_norm
        if needed <= 0.1:
            size = 10.0 ** math.ceil(math.log10(max(needed, 1e-15)) - 1e-9)
            return f"an error of {size:.0e} of |g| would be missed with p < {limit:.0e}".replace("e-0", "e-")
    needed = _DENSITY * tau / _KEPT / gradient_norm
    return f"an error of |g| itself would be missed with p = {min(1.0, needed) ** k:.1g}"
