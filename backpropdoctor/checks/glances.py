"""An open tensor looked at along several lines through a point beside the user's, two to eight evaluations each.

A line of a network with kinks in float32, or with a kink near the point, costs a ladder all its calls and may still
come out blurred. Off the kinks of the point itself, one central difference a line says nearly as much, and several
lines say whether they agree: an error shows in all of them, a kink within the step in few.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..model import Model, Tensor
from ..numeric.difference import COARSE, NOISE_BAR, differences, smooth_window, widest_step
from ..numeric.directions import analytic_slope
from ..numeric.estimate import Comparison, Estimate, Verdict
from ..numeric.noise import Noise
from ..numeric.sampler import Sampler
from .blocks import Block, accused_by_lines, acquitted
from .probing import Claim, Prober, Start, claim_of

_LINES = 8  # at the most
_CLEAR = 5.0  # bars: such a line is worth two that are one bar off
_ENOUGH = 4  # of that worth
_LEANING = 8.0  # standard errors of the mean
_KINKS = 2.5  # second differences: covers 99.9 % of random sets of kinks of either sign (docs/numeric.md)
_NOISE = 0.75 * NOISE_BAR
_WIDE = 3.0
_TINY = 1e-300
_NARROWEST = 2.0**-24  # of the tensor's size


@dataclass(frozen=True, slots=True)
class _Manner:
    """How lines are measured: `bar`, of the slope, below which one tells; `needed` of those acquit; `price` of one."""

    bar: float
    needed: int
    price: int


_IN_FLOAT64 = _Manner(2e-7, 1, 4)  # two steps, so that curvature does not look like a kink
_IN_LESS = _Manner(2e-2, 2, 2)
_FINE = _Manner(2e-7, 1, 8)  # four steps, extrapolated: for a difference that only those can tell


def manner(noise: Noise | None, block: Block) -> _Manner:
    """The manner for a tensor with a loss of this noise."""
    if noise is not None and noise.relative > COARSE:
        return _IN_LESS
    fine = [abs(c.difference) <= 2 * _IN_FLOAT64.bar * _size(c) for c in block.accusations]
    return _FINE if fine and all(fine) else _IN_FLOAT64


def glance_at(model: Model, tensor: Tensor, start: Start, seed: Any, block: Block, budget: int) -> Block:
    """The open block after lines through `start`, a point beside the user's, as far as `budget` evaluations go.

    Together with the lines through other points, 8 at the most: right where they say so within a narrow bar and none
    contradicts; wrong where several accuse, clearly or in number, and none acquits; else as it was.
    """
    noise = start.noise or block.noise
    claim = claim_of(model, tensor, start)
    if claim is None or noise is None:
        return block
    probe = Prober(model, tensor, start)
    lines = _Lines(probe, claim, noise, block)
    lines.follow(np.random.default_rng(seed), budget)
    spent = block.evaluations + sum(c.numeric.evaluations for c in lines.found[len(block.lines) :])
    if lines.right:
        block = acquitted(block, probe, claim, replace(lines.sharpest, verdict=Verdict.RIGHT))
    elif lines.wrong:
        block = accused_by_lines(block, probe, claim, lines.accusing)
    return replace(block, evaluations=spent, lines=tuple(lines.found), step=lines.step)


class _Lines:
    """The lines followed so far, and what they say together."""

    def __init__(self, probe: Prober, claim: Claim, noise: Noise, block: Block) -> None:
        self.probe, self.claim, self.noise, self.block = probe, claim, noise, block
        self.manner = manner(noise, block)
        self.found = list(block.lines)
        self.step = block.step

    @property
    def acquitting(self) -> list[Comparison]:
        """Those with a narrow bar; or all of several that are as close, though kinks make their bars wide."""
        limit = self.manner.bar
        near = [c for c in self.found if abs(c.difference) <= min(c.error, limit * _size(c) + c.analytic_error)]
        narrow = [c for c in near if c.numeric.error <= limit * _size(c)]
        wide = [c for c in near if c.numeric.error <= _WIDE * limit * _size(c)]
        return wide if len(wide) > self.manner.needed and len(near) == len(self.found) else narrow

    @property
    def sharpest(self) -> Comparison:
        return min(self.acquitting, key=lambda c: c.error / max(_size(c), _TINY))

    @property
    def accusing(self) -> list[Comparison]:
        return [c for c in self.found if abs(c.difference) > c.error]

    @property
    def right(self) -> bool:
        return len(self.acquitting) >= self.manner.needed and not self.accusing

    @property
    def wrong(self) -> bool:
        worth = 2 * len(self.block.accusations) + sum(2 if abs(c.difference) > _CLEAR * c.error else 1 for c in self.accusing)
        return bool(self.accusing) and not self.acquitting and (worth >= _ENOUGH or self._leaning)

    @property
    def _leaning(self) -> bool:
        """Whether eight lines say the same factor, if each of them vaguely: kinks of either sign would scatter."""
        if len(self.found) < _LINES or not all(c.numeric.value for c in self.found):
            return False
        off = np.array([c.difference / c.numeric.value for c in self.found])
        return bool(abs(np.mean(off)) > _LEANING * np.std(off, ddof=1) / math.sqrt(len(off)))

    def follow(self, rng: np.random.Generator, budget: int) -> None:
        """One line after another until they decide or the budget is spent."""
        h = self.block.step or self._first_step()
        while len(self.found) < _LINES and self.manner.price <= budget:
            budget -= self.manner.price
            u = self.probe.direction(self.claim, rng)
            sampler = self.probe.sampler(u)
            value, kink = self._difference(sampler, h)
            blur = 0.0 if self.manner is _FINE else _NOISE * self.noise.level / h
            if not (math.isfinite(value) and math.isfinite(kink)):
                return
            numeric = Estimate(value, blur + kink, "central differences", sampler.evaluations)
            error = self.probe.error(self.claim, u)
            self.found.append(Comparison(Verdict.UNDECIDED, analytic_slope(self.claim.gradient, u), error, numeric))
            self.step = h = self._next_step(h, blur, kink)
            if self.right or self.wrong:
                return

    def _difference(self, sampler: Sampler, h: float) -> tuple[float, float]:
        if self.manner is _FINE:
            first = smooth_window(sampler, h, self.noise.level)
            factor = 0.5 if first.truncation + first.kink > first.noise else 2.0  # two more calls on the same line
            window = min(first, smooth_window(sampler, factor * h, self.noise.level), key=lambda w: w.error)
            return window.value, window.error
        value, curve = differences(sampler, h)
        if self.manner is _IN_LESS:
            return value, _KINKS * abs(curve)
        wide, wide_curve = differences(sampler, 4 * h)
        return value, _KINKS * abs(4 * curve - wide_curve) / 3 + abs(value - wide) / 2

    def _first_step(self) -> float:
        """Where noise alone leaves half of the bar that tells."""
        if self.manner is _FINE:
            return widest_step(self.noise)
        wanted = self.manner.bar / 2 * _size(self.block.comparison)
        h = _NOISE * self.noise.level / wanted if wanted > 0 else self.noise.relative**0.5
        return 2.0 ** round(math.log2(min(max(h, _NARROWEST), self._widest)))

    def _next_step(self, h: float, blur: float, kink: float) -> float:
        """Narrower where kinks make the bar, wider where noise does."""
        if self.manner is _FINE:
            return h
        if kink > 3 * blur:
            return max(h / (4 if kink > 16 * blur else 2), _NARROWEST)
        return min(2 * h, self._widest) if kink < blur else h

    @property
    def _widest(self) -> float:
        return self.noise.relative ** (1 / 3)


def _size(found: Comparison) -> float:
    return max(abs(found.analytic), abs(found.numeric.value))
