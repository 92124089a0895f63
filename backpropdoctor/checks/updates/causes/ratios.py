"""Rung 6: the size of the steps, as advice and never as an alarm. Medians of elements; a mean says nothing here."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ....finding import Finding, make_finding
from ..history import History, median
from ..scene import Scene

HUGE = 1.0  # log10: half of the elements change by more than ten times what they are, every step
TINY = -8.0  # log10: ten million steps to change a weight by a tenth


def ratios(history: History) -> dict[str, float]:
    """log10 of the median of |change| / |value| of each weight over the samples, where it changed at all."""
    found: dict[str, float] = {}
    for name, trail in history.trails.items():
        values = [_ratio(s.before[name], s.after[name]) for s in history.samples[-2:] if name in s.after]
        known = [v for v in values if v is not None]
        if known and trail.weights:
            found[name] = float(np.median(known))
    return found


def _ratio(before: np.ndarray, after: np.ndarray) -> float | None:
    if before.shape != after.shape or before.dtype.kind != "f":
        return None
    old = np.abs(before.astype(np.float64, copy=False))
    moved = np.abs(after.astype(np.float64, copy=False) - before)
    wanted = (moved > 0) & (old > 0)
    if not wanted.all():
        moved, old = moved[wanted], old[wanted]
    return math.log10(median(moved / old)) if old.size else None


def advice(scene: Scene) -> Iterator[Finding]:
    """Notes on steps that are far larger or smaller than any that train."""
    for name, ratio in ratios(scene.history).items():
        if name in scene.explained or TINY <= ratio <= HUGE or len(scene.history.samples) < 2:
            continue
        size = "far larger than the weights" if ratio > HUGE else "far smaller than the weights"
        yield make_finding(
            "BD326",
            f"the steps of `{name}` are {size}: the median of |change| / |value| is 10^{ratio:.1f}",
            span=scene.place(name, "update"),
            tensors=(name,),
            measured="median over the elements that changed, of two steps",
            help=f"try a {'smaller' if ratio > HUGE else 'larger'} learning rate; about 10^-3 is common",
            evidence={"log10_ratio": ratio},
        )
