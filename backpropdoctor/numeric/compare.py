"""An analytic directional derivative against a measured one: right, wrong, or undecided with the reason.

Cheap first. The complex step decides wherever it is confirmed; real differences decide elsewhere. A discrepancy is an
accusation only where it exceeds the bars of both sides, where every narrower window says the same, and where no kink at
the point can explain it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from .complexstep import CHECKS, ComplexSlope, Trust, complex_slope, confirmed, jitter, kink_at_point
from .difference import COARSE, NOISE_BAR, Ladder, Window, best_of, differences, kink_window, smooth_window
from .estimate import Comparison, Estimate, Line, Verdict
from .noise import Noise, noise_of
from .sampler import EPS, Sampler

MARGIN = 2.0  # a difference between one and two bars is neither right nor wrong
_TELLING = 0.03  # a bar larger than this part of the derivative cannot tell it from another one
_BLUR = 1e-3  # in float64, a bar beyond this part of the derivative, by kinks, asks for another point
_NOTHING = 1e-9  # of loss / scale: a derivative below that, both ways, is zero
_EXCUSE = 1000.0  # a kink of slope jump J at the point excuses a difference of 1000 J: jumps of either sign cancel
_GOAL = 4e-10  # of the derivative: the bar that real differences strive for, so that 1e-9 is seen
_EXACT = 1e-6  # relative difference from which the roundoff of a complex step need not be measured

_REASONS = {
    "noise": "the loss is too noisy to tell: its noise of {level:.1e} hides a difference of {difference:.1e}",
    "kink": "the loss has a kink at or beside this point: its slope is {left:.6g} before it, {right:.6g} after it",
    "non-finite": "the loss is not finite near this point",
    "unresolved": "the difference of {difference:.1e} lies between one and two error bars",
}


class Judge:
    """Compares many lines of one loss; remembers what they share: phi(0), the noise, and whether complex numbers work.

    `base` is the loss at t = 0, `noise_line` a line that moves all parameters, along which the noise is measured once,
    when it is first needed; without it, it is measured along the line being compared. `evaluations` counts all calls.
    """

    def __init__(
        self,
        base: float | None = None,
        noise_line: Line | None = None,
        *,
        noise: Noise | None = None,
        allow_complex: bool = True,
    ) -> None:
        self.base = base
        self.noise_line = noise_line
        self.noise = noise
        self.allow_complex = allow_complex
        self.evaluations = 0

    def compare(
        self, phi: Line, analytic: float, *, analytic_error: float = 0.0, scale: float = 1.0, precise: bool = False
    ) -> Comparison:
        """Hold `analytic` against the derivative of phi at 0; see the function `compare`."""
        trial = _Trial(self, Sampler(phi, self.base), float(analytic), float(analytic_error), scale, precise)
        found = trial.run()
        self.evaluations += trial.sampler.evaluations
        if self.base is None:
            self.base = trial.sampler.at(0.0)
        return replace(found, quotients=trial.sampler.quotients)

    def slope(self, phi: Line, *, scale: float = 1.0) -> Estimate:
        """The derivative of phi at 0 by the fewest calls: 1 complex one, or 2 real ones with a wider bar.

        For searching inside a block that `compare` has already judged.
        """
        sampler = Sampler(phi, self.base)
        found = complex_slope(sampler, scale) if self.allow_complex else None
        if found is not None and found.usable:
            estimate = Estimate(found.value, 4 * found.error, "complex step", 0)
        else:
            noise = self.measured_noise(sampler, scale)
            h = scale * 2.0 ** round(math.log2(noise.relative ** (1 / 3)))
            slope, curve = differences(sampler, h)  # half of it bounds the effect of a kink within h
            estimate = Estimate(slope, NOISE_BAR * noise.level / h + abs(curve), "central differences", 0)
        self.evaluations += sampler.evaluations
        return Estimate(estimate.value, estimate.error, estimate.method, sampler.evaluations)

    def measured_noise(self, sampler: Sampler, scale: float) -> Noise:
        """The noise, measured on first need."""
        if self.noise is None:
            line = self.noise_line or sampler.phi
            self.noise = noise_of(line, scale, base=sampler.at(0.0))
            self.evaluations += self.noise.evaluations
        return self.noise


class _Trial:
    """One comparison under way."""

    def __init__(
        self, judge: Judge, sampler: Sampler, analytic: float, analytic_error: float, scale: float, precise: bool
    ) -> None:
        self.judge, self.sampler = judge, sampler
        self.analytic, self.analytic_error = analytic, analytic_error
        self.scale, self.precise = scale, precise
        self.ladder: Ladder | None = None
        self.trust = Trust.NONE

    def run(self) -> Comparison:
        if not math.isfinite(self.sampler.at(0.0)) or not math.isfinite(self.analytic):
            return self._undecided(Estimate(math.nan, math.inf, "none", 0), "non-finite")
        if self.judge.allow_complex:
            slope = complex_slope(self.sampler, self.scale)
            if slope.usable:
                found = self._by_complex(slope)
                if found is not None:
                    return found
                self.judge.allow_complex = False
            elif slope.broken:
                self.judge.allow_complex = False
        return self._by_windows()

    def _by_complex(self, slope: ComplexSlope) -> Comparison | None:
        """The verdict by the complex step, or None where real differences refute the method."""
        self.trust = confirmed(self.sampler, slope, self.scale)
        if not self.trust:
            best = best_of(self._climb(persist=True))
            if best is None or abs(best.value - slope.value) > best.error:
                return None
        difference, bar = abs(slope.value - self.analytic), slope.error + self.analytic_error
        numeric = self._estimate(slope.value, slope.error, "complex step")
        if difference <= bar:
            return self._right(numeric)
        jump = kink_at_point(self.sampler, slope, self.scale)
        if abs(jump) > 4 * slope.error and difference <= _EXCUSE * abs(jump):
            return self._at_kink(numeric, slope.value - jump, slope.value)
        if difference <= _EXACT * max(abs(slope.value), abs(self.analytic)):
            return self._fine_complex(slope)
        if difference <= MARGIN * bar:
            return self._undecided(numeric, "unresolved")
        return self._resolved(slope, numeric)

    def _fine_complex(self, slope: ComplexSlope) -> Comparison:
        """A small difference: the roundoff of the complex step is measured, and counts for the analytic side too."""
        rough = jitter(self.sampler, slope, self.scale)
        error = slope.error + 16 * rough
        numeric = self._estimate(slope.value, error, "complex step")
        difference, bar = abs(slope.value - self.analytic), error + self.analytic_error
        if difference <= bar:
            return self._right(numeric)
        if difference <= MARGIN * bar:
            return self._undecided(numeric, "unresolved")
        best = self._beside()
        if best is None:
            return self._undecided(numeric, "non-finite")
        if abs(best.value - slope.value) > best.error:
            return self._undecided(numeric, "noise")
        if best.smooth or difference > MARGIN * best.error:
            return self._wrong(self._estimate(slope.value, error, "complex step"))
        return self._undecided(numeric, "kink", best)

    def _beside(self) -> Window | None:
        """What real differences say, by few further calls: next to those that confirmed the complex step."""
        noise = self.judge.measured_noise(self.sampler, self.scale)
        if self.trust is Trust.SMOOTH:
            found = smooth_window(self.sampler, CHECKS[0] * self.scale, noise.level)
        else:
            steps = (CHECKS[0] * self.scale, CHECKS[1] * self.scale, CHECKS[1] * self.scale / 8)
            found = kink_window(self.sampler, steps, noise.level)
        return found if found.usable else None

    def _resolved(self, slope: ComplexSlope, numeric: Estimate) -> Comparison:
        """A large difference: one real difference that rules the analytic value out is enough to confirm it."""
        h = 2.0**-18 * self.scale
        zero, after, before = self.sampler.at(0.0), self.sampler.at(h), self.sampler.at(-h)
        real = (after - before) / (2 * h)
        bar = abs((after - zero) + (before - zero)) / h + 64 * EPS * self.sampler.magnitude / h
        numeric = self._estimate(numeric.value, numeric.error, numeric.method)
        if abs(real - slope.value) <= bar and abs(real - self.analytic) > MARGIN * (bar + self.analytic_error):
            return self._wrong(numeric)
        best = best_of(self._climb(persist=True))
        if best is None:
            return self._undecided(numeric, "non-finite")
        if abs(best.value - slope.value) > best.error:
            return self._undecided(numeric, "noise")
        if best.smooth or abs(best.value - self.analytic) > MARGIN * (best.error + self.analytic_error):
            return self._wrong(numeric)
        return self._undecided(numeric, "kink", best)

    def _climb(self, *, persist: bool) -> list[Window]:
        """The windows of the ladder; what was evaluated before is remembered."""
        if self.ladder is None:
            noise = self.judge.measured_noise(self.sampler, self.scale)
            self.ladder = Ladder(self.sampler, noise, self.scale, self.analytic)
        return self.ladder.climb(_GOAL * abs(self.analytic), persist)

    def _by_windows(self) -> Comparison:
        best = best_of(self._climb(persist=self.precise))
        if best is None or abs(best.value - self.analytic) > best.error + self.analytic_error:
            best = best_of(self._climb(persist=True))
        if best is None:
            return self._undecided(Estimate(math.nan, math.inf, "none", self.sampler.evaluations), "non-finite")
        assert self.ladder is not None
        numeric = self._estimate(best.value, best.error, "central differences")
        narrow = self.ladder.windows[-1]
        if narrow.usable and not narrow.smooth and self._at_zero(narrow, abs(best.value - self.analytic)):
            return self._at_kink(numeric, narrow.left, narrow.right)
        if abs(best.value - self.analytic) <= best.error + self.analytic_error:
            return self._right(numeric)
        if self._everywhere_excluded(self.ladder.windows):
            return self._wrong(numeric)
        return self._undecided(numeric, "unresolved", self._kinked())

    def _coarse(self) -> bool:
        return self.ladder is not None and self.ladder.noise.relative > COARSE

    def _kinked(self) -> Window | None:
        """The narrowest window, if it is kinks that keep its bar wide."""
        last = self.ladder.windows[-1] if self.ladder else None
        return last if last and last.usable and not last.smooth and last.kink > last.noise else None

    def _at_zero(self, narrow: Window, difference: float) -> bool:
        """Whether a kink at the point itself is seen, large enough to explain the difference."""
        return abs(narrow.jump) > narrow.noise and narrow.error < difference <= _EXCUSE * abs(narrow.jump)

    def _everywhere_excluded(self, windows: list[Window]) -> bool:
        """Whether the difference persists: beyond every window's bar where it can be seen, and the same in all."""
        usable = [w for w in windows if w.usable]
        best = best_of(usable)
        assert best is not None
        kinks_in_noise = self.ladder is not None and not self.ladder.smooth and self._coarse()
        margin = 1.5 * MARGIN if kinks_in_noise else MARGIN
        if abs(best.value - self.analytic) <= margin * (best.error + self.analytic_error):
            return False
        return all(abs(w.value - best.value) <= w.error + best.error for w in usable)

    def _at_kink(self, numeric: Estimate, left: float, right: float) -> Comparison:
        """Undecided: any slope between the two is a subgradient, and units of either sign may hide one outside."""
        reason = _REASONS["kink"].format(left=left, right=right)
        return Comparison(Verdict.UNDECIDED, self.analytic, self.analytic_error, numeric, reason, "kink", (left, right))

    def _tells(self, error: float) -> bool:
        """Whether a bar is small enough for agreement to mean something."""
        size = max(abs(self.analytic), self.sampler.magnitude / self.scale * _NOTHING / _TELLING)
        return error + self.analytic_error <= _TELLING * size

    def _right(self, numeric: Estimate) -> Comparison:
        exact = self.analytic == 0 and numeric.value == 0 and self.sampler.constant
        blurred = self._kinked() and numeric.error > _BLUR * abs(self.analytic) and not self._coarse()
        if not (exact or self._tells(numeric.error)) or blurred:
            return self._undecided(numeric, "noise", self._kinked())
        return Comparison(Verdict.RIGHT, self.analytic, self.analytic_error, numeric)

    def _wrong(self, numeric: Estimate) -> Comparison:
        return Comparison(Verdict.WRONG, self.analytic, self.analytic_error, numeric)

    def _undecided(self, numeric: Estimate, cause: str, at: Window | None = None) -> Comparison:
        cause = "kink" if at else cause
        level = self.judge.noise.level if self.judge.noise else EPS * self.sampler.magnitude
        reason = _REASONS[cause].format(
            level=level,
            difference=abs(self.analytic - numeric.value),
            left=at.left if at else math.nan,
            right=at.right if at else math.nan,
        )
        cause = "noise" if cause == "unresolved" else cause
        numeric = self._estimate(numeric.value, numeric.error, numeric.method)
        return Comparison(Verdict.UNDECIDED, self.analytic, self.analytic_error, numeric, reason, cause)

    def _estimate(self, value: float, error: float, method: str) -> Estimate:
        return Estimate(value, error, method, self.sampler.evaluations)


def compare(
    phi: Line,
    analytic: float,
    *,
    analytic_error: float = 0.0,
    scale: float = 1.0,
    allow_complex: bool = True,
    noise: Noise | Callable[[], Noise] | None = None,
    precise: bool = False,
) -> Comparison:
    """Hold an analytic derivative against the measured derivative of the line phi at 0.

    `analytic_error` is the roundoff of `analytic`; `scale` the distance in t over which phi changes by its own size;
    `noise` the noise of phi where it is known; `precise` spends more calls on a passing comparison. The verdict does
    not depend on the scale of the loss. To compare several lines of one loss, use a `Judge`: it shares what they share.
    """
    judge = Judge(allow_complex=allow_complex, noise=noise() if callable(noise) else noise)
    return judge.compare(phi, analytic, analytic_error=analytic_error, scale=scale, precise=precise)
