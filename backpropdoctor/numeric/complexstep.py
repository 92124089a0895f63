"""The complex step: Im phi(ih) / h is the derivative to the last digit, where the code is analytic.

W. Squire and G. Trapp, Using complex variables to estimate derivatives of real functions, SIAM Review 40 (1998);
J. Martins, P. Sturdza, J. Alonso, The complex-step derivative approximation, ACM TOMS 29 (2003). NumPy orders complex
numbers by their real part first, so `maximum` and comparisons with 0 are right; `abs`, `conj`, norms, casts and
float-only code are not, and are found by comparison with a real difference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

from .estimate import Estimate, Line
from .sampler import EPS, Sampler

STEP = 1e-20  # h^2 vanishes beside 1, and h times a small slope is still a normal number
_ROUND = 64 * EPS  # of the loss: stands for its noise where that is not measured
CHECKS = (2.0**-8, 2.0**-18)  # steps of the check for a smooth function, and for one with kinks
_TOLERANCE = (1e-9, 1e-7)  # relative, of these two checks
_FLOOR = 16 * EPS  # relative error bar of a complex step
_LOSS_FLOOR = 2 * EPS  # of the loss over the scale: what is left of slopes that cancel


@dataclass(frozen=True, slots=True)
class ComplexSlope:
    """The derivative by the complex step, or why there is none. `broken`: the code does not take complex numbers."""

    value: float
    error: float
    reason: str = ""
    broken: bool = False

    @property
    def usable(self) -> bool:
        return not self.reason


def complex_slope(sampler: Sampler, scale: float = 1.0, h: float = STEP) -> ComplexSlope:
    """One complex step. It is not yet held against a real difference: see `confirmed`."""
    zero, step = sampler.at(0.0), h * scale
    try:
        value = sampler.complex_at(complex(0.0, step))
    except Exception as problem:  # whatever the user's code makes of a complex number, it only rules the method out
        return ComplexSlope(math.nan, math.inf, f"complex numbers: {type(problem).__name__}", broken=True)
    slope = value.imag / step
    if not math.isfinite(slope):
        return ComplexSlope(math.nan, math.inf, "the complex step is not finite")
    if abs(value.real - zero) > 1e-9 * abs(zero) + _ROUND * abs(slope) * scale:
        return ComplexSlope(math.nan, math.inf, "the real part changes with complex numbers")
    return ComplexSlope(slope, _FLOOR * abs(slope) + _LOSS_FLOOR * abs(zero) / scale)


class Trust(IntEnum):
    """How far real differences confirm a complex step: not, within a narrow step only, or as for a smooth function."""

    NONE = 0
    CLOSE = 1
    SMOOTH = 2


def confirmed(sampler: Sampler, slope: ComplexSlope, scale: float = 1.0) -> Trust:
    """Whether real differences agree with the complex step: 3 calls for a smooth function, 5 for one with kinks.

    At a finite step h the error terms h^2/6 phi''' of the real and the complex difference are opposite, so their mean
    is exact to h^4: an absolute value or a conjugate that took part shows up to 1e-9 of the slope.
    """
    h = CHECKS[0] * scale
    real = _central(sampler, h)
    try:
        mean = 0.5 * (real + sampler.complex_at(complex(0.0, h)).imag / h)
    except Exception:
        return Trust.NONE
    if _agree(mean, slope.value, _TOLERANCE[0], sampler, h):
        return Trust.SMOOTH
    h = CHECKS[1] * scale
    return Trust.CLOSE if _agree(_central(sampler, h), slope.value, _TOLERANCE[1], sampler, h) else Trust.NONE


def kink_at_point(sampler: Sampler, slope: ComplexSlope, scale: float = 1.0, h: float = STEP) -> float:
    """The jump of the slope at 0 itself: the complex steps +ih and -ih fall on either side of a kink. One call."""
    step = h * scale
    try:
        other = -sampler.complex_at(complex(0.0, -step)).imag / step
    except Exception:
        return math.inf
    return slope.value - other


def jitter(sampler: Sampler, slope: ComplexSlope, scale: float = 1.0, count: int = 2) -> float:
    """How far the complex step moves when x moves by a few units in the last place: its roundoff. `count` calls."""
    worst = 0.0
    for k in range(1, count + 1):
        moved = complex((-1) ** k * (2 * k + 1) * 2 * EPS * scale, STEP * scale)
        try:
            worst = max(worst, abs(sampler.complex_at(moved).imag / moved.imag - slope.value))
        except Exception:
            return math.inf
    return worst


def complex_step(phi: Line, h: float = STEP, *, scale: float = 1.0, base: float | None = None) -> Estimate:
    """The derivative of phi at 0 by the complex step, confirmed by real differences.

    4 to 7 calls. The value is nan and the error infinite where phi does not take complex numbers or is not analytic.
    """
    sampler = Sampler(phi, base)
    slope = complex_slope(sampler, scale, h)
    if not slope.usable or not confirmed(sampler, slope, scale):
        return Estimate(math.nan, math.inf, "complex step", sampler.evaluations)
    return Estimate(slope.value, slope.error, "complex step", sampler.evaluations)


def _central(sampler: Sampler, h: float) -> float:
    return (sampler.at(h) - sampler.at(-h)) / (2 * h)


def _agree(real: float, slope: float, tolerance: float, sampler: Sampler, h: float) -> bool:
    bar = tolerance * max(abs(real), abs(slope)) + _ROUND * sampler.magnitude / h
    return abs(real - slope) <= bar
