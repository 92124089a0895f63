"""What happened to each parameter in the steps that were looked at: exact, bitwise, and never summarised by a mean."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

KEPT_SAMPLES = 6  # whole steps kept for the causes that compare steps: two would do, more make a verdict safer
KEPT_BYTES = 256 * 2**20  # and the memory they may take
CLEAR_MOVE = 64.0  # a change of this many units in the last place shows the step's factor to better than 1 %


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One training step: the parameters before and after it, the gradients it used, and the loss before it.

    A parameter without a gradient is missing in `gradients`. Arrays are copies.
    """

    step: int
    before: Mapping[str, np.ndarray]
    after: Mapping[str, np.ndarray]
    gradients: Mapping[str, np.ndarray] = field(default_factory=dict)
    loss: float | None = None


@dataclass(slots=True, eq=False)
class Trail:
    """One parameter over the samples. Counts are of samples unless they say elements."""

    name: str
    start: np.ndarray
    last: np.ndarray
    changed: int = 0
    samples: int = 0
    graded: int = 0  # samples with a gradient
    nonzero: int = 0  # samples whose gradient has a non-zero element
    integer_gradient: bool = False
    first_gradient: np.ndarray | None = None
    lost_elements: int = 0  # non-zero steps that rounding swallowed, over all samples
    step_elements: int = 0
    lost_norm: float = 0.0  # the same in squares of the gradient: the share of the first-order decrease
    step_norm: float = 0.0

    @property
    def weights(self) -> bool:
        """Whether it is a matrix of weights between two layers, and no bias kept as a row or a column."""
        if sum(n > 1 for n in self.start.shape) >= 2:
            return True
        return self.start.ndim >= 2 and not re.search(r"(?:^|[^a-zA-Z])_?[bB](?![a-zA-Z])|bias", self.name)

    @property
    def unchanged(self) -> bool:
        """Whether it holds, bit by bit, what it held at the start and did so in every sample."""
        return self.changed == 0 and same_bits(self.start, self.last)

    @property
    def lost(self) -> float:
        """The fraction of the elements with a gradient whose step was swallowed by rounding."""
        return self.lost_elements / self.step_elements if self.step_elements else 0.0

    @property
    def lost_share(self) -> float:
        """The share of the first-order decrease of the loss, sum of g^2, that rounding swallowed."""
        return self.lost_norm / self.step_norm if self.step_norm else 0.0


class History:
    """The trails of all parameters and the first few samples whole."""

    def __init__(self, start: Mapping[str, np.ndarray], *, kept: int = KEPT_SAMPLES) -> None:
        self.trails = {name: Trail(name, value, value) for name, value in start.items()}
        self.samples: list[Sample] = []
        self.losses: list[tuple[int, float]] = []
        self.nonfinite: tuple[int, str] | None = None  # the step and the name, where a value was not finite
        self.steps = 0
        self._kept, self._bytes = kept, 0

    def add(self, sample: Sample) -> None:
        """Take one step into account."""
        for name, trail in self.trails.items():
            if name in sample.after:
                self._follow(trail, sample)
        if sample.loss is not None and len(self.losses) < 4096:
            self.losses.append((sample.step, sample.loss))
        size = sum(a.nbytes for part in (sample.before, sample.gradients) for a in part.values())
        if len(self.samples) < self._kept and (len(self.samples) < 2 or self._bytes + size < KEPT_BYTES):
            self.samples.append(sample)
            self._bytes += size

    def finish(self, last: Mapping[str, np.ndarray]) -> None:
        """Take the parameters at the end into account."""
        for name, value in last.items():
            if name in self.trails:
                self.trails[name].last = value
                self._look_finite(name, value, self.steps)

    def _follow(self, trail: Trail, sample: Sample) -> None:
        before, after = sample.before[trail.name], sample.after[trail.name]
        trail.samples += 1
        trail.last = after
        if not same_bits(before, after):
            trail.changed += 1
        self._look_finite(trail.name, after, sample.step)
        gradient = sample.gradients.get(trail.name)
        if gradient is None:
            return
        self._look_finite(trail.name, gradient, sample.step)
        trail.graded += 1
        trail.integer_gradient = gradient.dtype.kind in "iu"
        if trail.first_gradient is None:
            trail.first_gradient = gradient
        if np.count_nonzero(gradient):
            trail.nonzero += 1

    def _look_finite(self, name: str, value: np.ndarray, step: int) -> None:
        if self.nonfinite is None and not all_finite(value):
            self.nonfinite = (step, name)

    def note_nonfinite(self, step: int, name: str) -> None:
        """A value or the gradient of `name` was seen not to be finite; the first one counts."""
        if self.nonfinite is None:
            self.nonfinite = (step, name)

    def stuck(self, name: str) -> bool:
        """Whether an element with a gradient stood still in one of the samples kept."""
        for sample in self.samples:
            gradient, before, after = (m.get(name) for m in (sample.gradients, sample.before, sample.after))
            if gradient is None or before is None or after is None or not before.shape == after.shape == gradient.shape:
                continue
            same = before == after
            if same.any() and (same & (gradient != 0)).any():
                return True
        return False

    def measure_rounding(self, factors: Mapping[str, float]) -> None:
        """Count the elements whose step `factor * gradient` was too small for their dtype, in the samples kept."""
        for trail in self.trails.values():
            factor = factors.get(trail.name)
            trail.lost_elements = trail.step_elements = 0
            trail.lost_norm = trail.step_norm = 0.0
            for sample in self.samples:
                gradient = sample.gradients.get(trail.name)
                before, after = sample.before.get(trail.name), sample.after.get(trail.name)
                if factor and gradient is not None and before is not None and after is not None:
                    self._count_lost(trail, factor, before, after, gradient)

    @staticmethod
    def _count_lost(trail: Trail, factor: float, before: np.ndarray, after: np.ndarray, gradient: np.ndarray) -> None:
        if before.dtype.kind != "f" or before.shape != gradient.shape or after.shape != before.shape:
            return
        g = gradient.astype(np.float64)
        trail.step_elements += int(np.count_nonzero(g))
        trail.step_norm += float(np.vdot(g, g))
        same = before == after
        if same.any():
            lost = same & (g != 0) & too_small(np.abs(factor * g), before)
            trail.lost_elements += int(np.count_nonzero(lost))
            trail.lost_norm += float(np.sum(g[lost] ** 2))


def all_finite(value: np.ndarray) -> bool:
    """Whether no element is NaN or infinite."""
    if value.dtype.kind not in "fc":
        return True
    if value.dtype == np.float64:
        flat = value.reshape(-1)
        if math.isfinite(flat.dot(flat)):  # one pass; an overflow here says nothing yet
            return True
    return bool(np.isfinite(value).all())


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays hold the same bytes in the same shape and dtype; NaN equals the same NaN."""
    if a is b:
        return True
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def too_small(step: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Where adding `step` to `value` rounds back to `value`: at most half a unit in the last place (IEEE 754, ties).

    Below a power of two the spacing halves; the larger one is taken, which only matters for the elements right at it.
    """
    return step <= 0.5 * np.spacing(np.abs(value)).astype(np.float64)


def step_factors(samples: list[Sample], names: list[str]) -> dict[str, float]:
    """c of `after = before - c * gradient` for every parameter, where the samples show one constant c (plain descent).

    Read off the elements that moved clearly. A parameter that shows none is given the factor of the others if they all
    share one, since then a single learning rate is in use; a parameter with another rule (momentum, Adam) has none.
    """
    found: dict[str, float] = {}
    without: list[str] = []
    for name in names:
        ratios = np.concatenate([_ratios(s, name) for s in samples[:3]] or [np.empty(0)])
        if ratios.size == 0:
            without.append(name)
            continue
        middle = median(ratios)
        if middle and median(np.abs(ratios - middle)) <= 0.02 * abs(middle):
            found[name] = middle
    shared = list(found.values())
    if shared and max(shared) - min(shared) <= 0.02 * abs(max(shared, key=abs)):
        found.update((name, shared[0]) for name in without)
    return found


def median(values: np.ndarray) -> float:
    """The upper median of a non-empty array; `np.median` takes far longer for small ones."""
    return float(np.partition(values, values.size // 2, axis=None)[values.size // 2])


def _ratios(sample: Sample, name: str) -> np.ndarray:
    gradient, before, after = (m.get(name) for m in (sample.gradients, sample.before, sample.after))
    if gradient is None or before is None or after is None or before.dtype.kind != "f":
        return np.empty(0)
    if not before.shape == after.shape == gradient.shape:
        return np.empty(0)
    moved = after.astype(np.float64) - before.astype(np.float64)
    unit = np.spacing(np.maximum(np.abs(before), np.abs(after))).astype(np.float64)
    clear = (np.abs(moved) > CLEAR_MOVE * unit) & (gradient != 0)
    return -moved[clear] / gradient[clear].astype(np.float64)


def copied(value: Any) -> np.ndarray:
    """The numbers of a leaf (an array, a number, a list of numbers) as an array of their own."""
    return np.array(value, copy=True)
