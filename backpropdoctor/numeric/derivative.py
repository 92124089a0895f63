"""The derivative of a function of an array along a direction, with its error bar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import InputError
from .complexstep import complex_slope, confirmed
from .difference import Ladder, best_of
from .directions import size_of
from .estimate import Estimate
from .noise import noise_of
from .sampler import Sampler


def derivative(
    f: Callable[[Any], Any],
    x: Any,
    direction: Any = None,
    *,
    scale: float | None = None,
    allow_complex: bool = True,
) -> Estimate:
    """The derivative of the scalar function f at x along `direction`, without a step or a tolerance to choose.

    `x` is a float or a real array of any shape; f gets a fresh float64 (or complex) array of that shape, or a scalar
    where x is one. `direction` has the shape of x; it may be left out where x has one element. `scale` is the distance
    along `direction` over which f changes by its own size; by default the distance that moves x by its own size.
    Returns the value, its error bar, the method and the number of calls of f. Raises InputError where the shapes do not
    fit, x is not real, or f is not a finite scalar at x.

    >>> import numpy as np
    >>> from backpropdoctor.numeric.derivative import derivative
    >>> e = derivative(lambda x: np.sum(np.sin(x)), np.array([0.0, 1.0]), np.array([1.0, 2.0]))
    >>> bool(abs(e.value - (1 + 2 * np.cos(1.0))) <= e.error < 1e-12), e.method
    (True, 'complex step')
    """
    point, along = _point(x), _direction(x, direction)
    single = np.ndim(x) == 0 and not isinstance(x, np.ndarray)

    def phi(t: complex) -> Any:
        moved = point + t * along
        return f(moved[()] if single else moved)

    sampler = Sampler(phi)
    if not np.isfinite(sampler.at(0.0)):
        raise InputError("the function is not a finite scalar at this point")
    if scale is None:
        length = size_of(along)
        scale = size_of(point) / length
    if allow_complex:
        slope = complex_slope(sampler, scale)
        if slope.usable and confirmed(sampler, slope, scale):
            return Estimate(slope.value, slope.error, "complex step", sampler.evaluations)
    noise = noise_of(phi, scale, base=sampler.at(0.0))
    best = best_of(Ladder(sampler, noise, scale).climb(0.0))
    calls = sampler.evaluations + noise.evaluations
    if best is None:
        raise InputError("the function is not finite near this point")
    return Estimate(best.value, best.error, "central differences", calls)


def _point(x: Any) -> Any:
    array = np.asarray(x)
    if array.dtype.kind not in "fiub":
        raise InputError(f"x must be real numbers, not {array.dtype}")
    return np.array(array, dtype=np.float64)


def _direction(x: Any, direction: Any) -> Any:
    shape = np.shape(x)
    if direction is None:
        if np.size(x) != 1:
            raise InputError(f"x has {np.size(x)} elements: the derivative needs a direction of shape {shape}")
        return np.ones(shape)
    along = np.asarray(direction)
    if along.shape != shape or along.dtype.kind not in "fiub":
        raise InputError(f"the direction has shape {along.shape} and type {along.dtype}, x has shape {shape}")
    return np.array(along, dtype=np.float64)
