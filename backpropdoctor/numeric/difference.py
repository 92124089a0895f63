"""Central differences on a ladder of steps, extrapolated, with an error bar that bounds.

Three steps h, h/2, h/4 make a `Window`. Its central differences D_k = phi' + h_k^2 phi'''/6 + ... are extrapolated to
h = 0 (Richardson). Its second differences S_k = (phi(h_k) + phi(-h_k) - 2 phi(0)) / h_k cost nothing more and vanish
with h for a smooth phi, whereas a kink of jump J within the step leaves J (1 - |t|/h_k) there and at the most half as
much in D_k. So the second differences tell where D_k cannot be trusted, and by how much. Where they show kinks, the
ladder goes down in long strides until none lies within the step, or noise takes over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .estimate import Estimate, Line
from .noise import Noise, noise_of
from .sampler import Sampler

NOISE_BAR = 8.0  # standard deviations: the level itself is known within a factor of 2 or so
COARSE = 1e-10  # relative noise from which kinks may hide in it
CALLS = 12  # of phi, for one derivative, besides phi(0) and the noise
_INTERCEPT_STD = 4.7  # of the extrapolated second difference, in units of sigma / h (the smallest step)
_DOUBT = 4.0  # standard deviations within which it counts as zero
_KINK_BAR = 2.5  # covers 99.9 % of random sets of kinks of either sign, few or many (docs/numeric.md)
_SMOOTH_BAR = 0.2  # of the change by the last extrapolation but one: three times the change by the last one
_REGULAR = 0.05  # how far the differences of a smooth function stray from their power law
_SCREEN = 0.02  # of the second difference, for the first look at two steps
_NARROWEST = 2.0**-21  # of the scale: few kinks lie within it
_PERCENT = 0.01
_HIDING = 1e-6  # relative noise of a slope under which kinks may hide
_FAR = 20.0  # error bars
_FARTHEST = 0.25  # of the scale


@dataclass(frozen=True, slots=True)
class Window:
    """What three steps say: the slope `value` with its bar, taken apart into noise, truncation and kinks.

    `smooth` means that the differences follow the power laws of a smooth function. `jump` is the extrapolated second
    difference: the jump of the slope at 0, were there one, and 0 where there is none. `left` and `right` are the
    one-sided slopes at the smallest step, `step`.
    """

    value: float
    noise: float
    truncation: float
    kink: float
    smooth: bool
    jump: float
    left: float
    right: float
    step: float

    @property
    def error(self) -> float:
        """The error bar."""
        return self.noise + self.truncation + self.kink

    @property
    def usable(self) -> bool:
        """False where phi was not finite at one of the steps."""
        return math.isfinite(self.value) and math.isfinite(self.error)


def smooth_window(sampler: Sampler, top: float, level: float) -> Window:
    """The steps top, top/2, top/4 of a function of noise `level`, extrapolated twice; 6 calls and phi(0)."""
    (d0, s0), (d1, s1), (d2, s2) = (differences(sampler, top / 2**k) for k in range(3))
    h, sigma = top / 4, 4 * level / top
    large, small = (4 * d1 - d0) / 3, (4 * d2 - d1) / 3
    value = (16 * small - large) / 15
    large_jump, small_jump = 2 * s1 - s0, 2 * s2 - s1
    jump = (8 * small_jump - large_jump) / 7
    spread, doubt = abs(small - large), _DOUBT * _INTERCEPT_STD * sigma
    smooth = abs(jump) <= doubt + _REGULAR * abs(large_jump) and spread <= doubt + _REGULAR * abs(d0 - d1)
    if smooth:
        truncation, kink = _SMOOTH_BAR * spread, abs(jump)
    else:
        truncation = 2 * _KINK_BAR * spread
        kink = 2 * _KINK_BAR * (abs(jump) + max(abs(large_jump), abs(small_jump)))
    return Window(value, NOISE_BAR * sigma, truncation, kink, smooth, jump, d2 - s2 / 2, d2 + s2 / 2, h)


def kink_window(sampler: Sampler, hs: tuple[float, float, float], level: float) -> Window:
    """Three falling steps of a function with kinks: the smallest central difference, not extrapolated."""
    (d0, s0), (d1, s1), (d2, s2) = (differences(sampler, h) for h in hs)
    h, sigma = hs[2], level / hs[2]
    first, second = hs[0] / hs[1], hs[1] / hs[2]
    large_jump, jump = (first * s1 - s0) / (first - 1), (second * s2 - s1) / (second - 1)
    smooth = abs(jump) <= _DOUBT * _INTERCEPT_STD * sigma
    if smooth and sigma <= _HIDING * abs(d2):
        truncation, kink = abs(d2 - d1) / 2, abs(jump)
    else:
        truncation = _KINK_BAR * (abs(d2 - d1) + abs(d1 - d0) / second)
        kink = _KINK_BAR * (abs(jump) + abs(large_jump) / second)
    noise = 0.75 * NOISE_BAR * sigma
    level_off = abs(s1 - s2) <= abs(s2) / 2 + noise  # as for a kink at 0; kinks beside it fade with the step
    at_zero = min((s1, s2, jump), key=abs) if level_off else 0.0
    return Window(d2, noise, truncation, kink, smooth, at_zero, d2 - s2 / 2, d2 + s2 / 2, h)


def widest_step(noise: Noise) -> float:
    """The step, of the scale, that balances the truncation h^6 of a window against noise / h; a power of two."""
    return 2.0 ** round(math.log2(noise.relative ** (1 / 7)))


def differences(sampler: Sampler, h: float) -> tuple[float, float]:
    """The central difference and the second difference over h."""
    zero, after, before = sampler.at(0.0), sampler.at(h), sampler.at(-h)
    return (after - before) / (2 * h), ((after - zero) + (before - zero)) / h


class Ladder:
    """The windows of one line, found step by step with at most `CALLS` calls; `windows` goes from wide to narrow.

    The widest step balances the truncation h^6 against noise/h; `scale` is the distance over which phi changes by its
    own size. Steps are powers of two, so that t is exact. A slope far from `claim` need not be measured any better.
    """

    def __init__(self, sampler: Sampler, noise: Noise, scale: float = 1.0, claim: float = math.nan) -> None:
        self.sampler, self.noise, self.scale, self.claim = sampler, noise, scale, claim
        self.top = scale * widest_step(noise)
        self.steps = [self.top / 2, self.top / 4]
        self.wide: list[Window] = []
        self.narrow: list[Window] = []
        self.stride = 2.0

    @property
    def windows(self) -> list[Window]:
        return self.wide + self.narrow

    @property
    def smooth(self) -> bool:
        """Whether the wide steps show a smooth function."""
        return bool(self.wide) and self.wide[-1].usable and self.wide[-1].smooth

    def climb(self, goal: float, persist: bool = False) -> list[Window]:
        """The windows it takes to bring the bar down to `goal`, as far as the calls allow.

        With `persist`, a smooth function is looked at over narrow steps also.
        """
        if not self.windows and self._looks_smooth():
            self.wide = [smooth_window(self.sampler, self.top, self.noise.level)]
        if self.smooth and len(self.wide) == 1:
            self._refine(goal)
        if not self.smooth or (persist and len(self.wide) == 1):
            unsure = not self.smooth or self.noise.relative > COARSE
            self._descend(goal, 2 if persist and unsure else 1)
        return self.windows

    def _looks_smooth(self) -> bool:
        (_, s1), (_, s2) = (differences(self.sampler, h) for h in self.steps[:2])
        return abs(2 * s2 - s1) <= _SCREEN * abs(s1) + _DOUBT * _INTERCEPT_STD * self.noise.level / self.steps[1]

    def _refine(self, goal: float) -> None:
        """More windows of a smooth function, for 2 calls each: wider ones against noise, narrower against truncation."""
        first = self.wide[0]
        if first.error <= goal or self._settled(first):
            return
        if first.noise + first.kink < first.truncation:
            factors, room = (0.5, 0.25, 0.125), True
        else:
            factors, room = (2.0, 4.0, 8.0), 8 * self.top <= _FARTHEST * self.scale
        for factor in factors if room else ():
            self.wide.append(smooth_window(self.sampler, factor * self.top, self.noise.level))
            if self.wide[-1].error <= goal:
                break
        self.wide.sort(key=lambda w: -w.step)

    def _descend(self, goal: float, least: int) -> None:
        """Smaller and smaller steps, 2 calls each, until the bar is at the goal or mostly noise; `least` windows."""
        calls = (6 if self.wide else 4) + 2 * len(self.narrow)
        if not self.narrow:
            self.stride = self._stride((CALLS - calls) // 2)
        while calls < CALLS and not (len(self.narrow) >= least and self._done(goal)):
            self.steps.append(self.steps[-1] / self.stride)
            calls += 2
            triple = (self.steps[-3], self.steps[-2], self.steps[-1])
            self.narrow.append(kink_window(self.sampler, triple, self.noise.level))

    def _done(self, goal: float) -> bool:
        last = self.narrow[-1]
        noisy = last.noise * (self.stride + 1) > last.error
        return last.usable and (last.error <= goal or noisy or self._settled(last))

    def _settled(self, found: Window) -> bool:
        return self.noise.relative <= COARSE and abs(found.value - self.claim) > _FAR * found.error

    def _stride(self, count: int) -> float:
        """The ratio of the next `count` steps: down to where noise is 1 % of the slope, or to the narrowest."""
        slope = abs(differences(self.sampler, self.steps[-1])[0])
        noisy = NOISE_BAR * self.noise.level / (_PERCENT * slope) if slope > 0 else 0.0
        narrowest = max(noisy, _NARROWEST * self.scale)
        return 2.0 ** max(1, round(math.log2(self.steps[-1] / narrowest) / count))


def best_of(windows: list[Window]) -> Window | None:
    """The window with the smallest bar among those that agree with all narrower ones (Lepski's rule).

    A drift towards the narrower ones that is more than their noise (4 standard deviations) widens the bar: it is what
    small kinks under the noise of float32 look like. `windows` go from wide to narrow. None where no window is usable.
    """
    chosen: Window | None = None
    narrower: list[Window] = []
    for candidate in reversed([w for w in windows if w.usable]):
        if chosen is not None and abs(candidate.value - chosen.value) > candidate.error + chosen.error:
            break
        drift = max((abs(candidate.value - n.value) - n.noise / 2 for n in narrower), default=0.0)
        if drift > candidate.error / 2 and candidate.noise > _HIDING * abs(candidate.value):
            candidate = replace(candidate, truncation=candidate.truncation + 2 * drift)
        if chosen is None or candidate.error < chosen.error:
            chosen = candidate
        narrower.append(candidate)
    return chosen


def central_ladder(phi: Line, *, noise: Noise | None = None, scale: float = 1.0, base: float | None = None) -> Estimate:
    """The derivative of phi at 0 by central differences, with its error bar.

    `noise` is measured where it is not given (6 or 7 calls); `scale` is the distance in t over which phi changes by its
    own size; `base` is phi(0) where it is known. 6 to 12 calls besides. The value is nan and the error infinite where
    phi is not finite around 0.
    """
    sampler = Sampler(phi, base)
    if noise is None:
        noise = noise_of(phi, scale, base=sampler.at(0.0))
        sampler.evaluations += noise.evaluations
    best = best_of(Ladder(sampler, noise, scale).climb(0.0))
    if best is None:
        return Estimate(math.nan, math.inf, "central differences", sampler.evaluations)
    return Estimate(best.value, best.error, "central differences", sampler.evaluations)
