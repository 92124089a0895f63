"""Where in a block the gradient is wrong: the whole, rows, columns, slices, elements, or a mask.

An error in one index of an axis is weighed: the slope along a direction whose slices are multiplied by a code that
differs from slice to slice gives the slice away at once. A second measurement without that slice confirms it. What is
not a single slice is found by halving.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .directions import Array, analytic_error, analytic_slope, gaussian
from .estimate import Estimate
from .words import Indices, joined, words_of

Slope = Callable[[Array], Estimate]
Kind = Literal["none", "all", "slices", "elements", "mask", "unknown"]

_MANY = 4  # more wrong indices than that along an axis are all of them, or a mask
_MARGIN = 2.0  # bars that a slope must exceed to be called wrong, as in `compare`


@dataclass(frozen=True, slots=True)
class Part:
    """The wrong part of a block.

    `indices` has one entry an axis: the wrong indices along it, or None for all of them; `mask` is a name such as 'the
    diagonal' for kind 'mask'. `words` says it for people: 'row 3', 'column 2', 'element (0, 5)', 'all'. `elements`
    lists the wrong elements one by one for kind 'elements'.
    """

    kind: Kind
    indices: Indices
    words: str
    evaluations: int
    mask: str = ""
    elements: tuple[tuple[int, ...], ...] = ()


class _Budget(Exception):
    """No evaluations are left."""


class _Blind(Exception):
    """The error is there, but in no part of it large enough to be seen."""


class _Probe:
    """The error e = gradient - truth along directions, and what it cost."""

    def __init__(self, slope_of: Slope, gradient: Array, budget: int) -> None:
        self.slope_of, self.gradient, self.budget = slope_of, gradient, budget
        self.spent = 0

    def error_along(self, direction: Array) -> tuple[float, float]:
        """e.u and its bar."""
        if self.spent >= self.budget:
            raise _Budget
        measured = self.slope_of(direction)
        self.spent += max(1, measured.evaluations)
        bar = measured.error + analytic_error(self.gradient, direction)
        return analytic_slope(self.gradient, direction) - measured.value, bar


def locate(
    slope_of: Slope,
    gradient: Array,
    *,
    budget: int | None = None,
    scale_to: Array | None = None,
    seed: int | np.random.Generator = 0,
) -> Part:
    """Find the wrong part of `gradient`, the analytic gradient of one block.

    `slope_of(u)` measures the true derivative along u, an array of the block's shape (`Judge.slope` in a loop over
    blocks). `budget` is the largest number of its evaluations, 4 log2(N) + 40 by default; a single wrong slice or
    element takes fewer than 2 log2(N) of them. `scale_to` are the block's values, for directions of their size.
    """
    gradient = np.asarray(gradient)
    if gradient.size == 0:
        return Part("none", (None,) * gradient.ndim, "nothing", 0)
    limit = 40 + 4 * math.ceil(math.log2(max(2, gradient.size))) if budget is None else budget
    probe = _Probe(slope_of, gradient, limit)
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
    try:
        draws: list[tuple[Array, float, float]] = []
        while not draws or (len(draws) < 3 and not _seen(*draws[-1][1:])):
            u = gaussian(gradient.shape, rng, scale_to)
            draws.append((u, *probe.error_along(u)))
        return _search(probe, *draws[-1], rng)
    except _Blind:
        return Part("unknown", (None,) * gradient.ndim, "a part too small to see", probe.spent)
    except _Budget:
        return Part("unknown", (None,) * gradient.ndim, "a part that the budget was too small to find", probe.spent)


def _search(probe: _Probe, u: Array, total: float, bar: float, rng: np.random.Generator) -> Part:
    shape = u.shape
    if not _seen(total, bar):
        return Part("unknown", (None,) * u.ndim, "a part too small to see", probe.spent)
    if u.size == 1:
        return Part("all", (None,) * u.ndim, "all", probe.spent)
    found: list[tuple[int, ...] | None] = []
    for axis in range(u.ndim):
        if shape[axis] == 1:
            found.append(None)
            continue
        indices = _along(probe, u, axis, total, bar, rng)
        if indices is not None:
            u = _only(u, axis, indices)
            total, bar = probe.error_along(u) if len(indices) > 1 else (total, bar)
        found.append(indices)
    if all(f is None for f in found):
        return _whole_or_mask(probe, u, rng)
    if sum(f is not None and len(f) > 1 for f in found) > 1:
        return _scattered(probe, u, tuple(found), rng)
    return _part(tuple(found), shape, probe.spent)


def _scattered(probe: _Probe, u: Array, found: Indices, rng: np.random.Generator) -> Part:
    """The box `found` taken apart along its first axis with several indices: the wrong elements, where they are few."""
    axis = next(k for k, f in enumerate(found) if f is not None and len(f) > 1)
    boxes: list[Indices] = []
    for index in found[axis] or ():
        slab = _only(u, axis, (index,))
        total, bar = probe.error_along(slab)
        box: list[tuple[int, ...] | None] = list(found)
        box[axis] = (index,)
        for other, chosen in enumerate(found):
            if other != axis and chosen is not None and len(chosen) > 1:
                box[other] = _along(probe, slab, other, total, bar, rng) or chosen
        boxes.append(tuple(box))
    if all(box[:axis] + box[axis + 1 :] == found[:axis] + found[axis + 1 :] for box in boxes):
        return _part(found, u.shape, probe.spent)
    if any(f is None for f in found):
        words = " and ".join(words_of(box, u.shape) for box in boxes)
        return Part("slices", found, words, probe.spent)
    elements = tuple(e for box in boxes for e in itertools.product(*(f or () for f in box)))
    words = "elements " + joined([str(e) for e in elements])
    return Part("elements", found, words, probe.spent, elements=elements)


def _along(probe: _Probe, u: Array, axis: int, total: float, bar: float, rng: np.random.Generator) -> tuple[int, ...] | None:
    """The wrong indices along an axis, None where they are (nearly) all."""
    likely = _weighed(probe, u, axis, total, bar, rng)
    if len(likely) == 1:
        return (likely[0],)
    found = _halved(probe, _only(u, axis, likely), axis, likely, total, bar) if likely else None
    if not likely:
        found = _halved(probe, u, axis, list(range(u.shape[axis])), total, bar)
    if found is not None and not (found and _only_there(probe, u, axis, found)):
        raise _Blind
    return None if found is None or len(found) == u.shape[axis] else tuple(sorted(found))


def _weighed(probe: _Probe, u: Array, axis: int, total: float, bar: float, rng: np.random.Generator) -> list[int]:
    """The indices of an axis whose code fits, if the error is in one of them only; confirmed by the rest being right.

    Empty where the error is in several, or the measurement is too coarse to rule out most indices.
    """
    count = u.shape[axis]
    code = 1.0 + rng.permutation(count) / count
    coded, coded_bar = probe.error_along(u * _spread(code, u.ndim, axis))
    weight = coded / total
    doubt = (coded_bar + abs(weight) * bar) / abs(total)
    fits = [int(i) for i in np.flatnonzero(np.abs(code - weight) <= doubt)]
    return fits if 0 < len(fits) <= max(1, count // 4) and _only_there(probe, u, axis, fits) else []


def _only_there(probe: _Probe, u: Array, axis: int, found: list[int]) -> bool:
    """Whether the rest of the block is right."""
    rest, bar = probe.error_along(u - _only(u, axis, found)) if len(found) < u.shape[axis] else (0.0, 0.0)
    return abs(rest) <= bar


def _halved(probe: _Probe, u: Array, axis: int, among: list[int], total: float, bar: float) -> list[int] | None:
    """The wrong indices `among` those of an axis by halving, None as soon as there are more than a few."""
    found: list[int] = []
    waiting = [(among, total, bar)]
    while waiting:
        indices, value, doubt = waiting.pop()
        if not _seen(value, doubt):
            continue
        if len(indices) == 1:
            found += indices
        else:
            half = indices[: len(indices) // 2]
            first, first_bar = probe.error_along(_only(u, axis, half))
            waiting.append((half, first, first_bar))
            waiting.append((indices[len(half) :], value - first, doubt + first_bar))
        if len(found) + sum(_seen(v, d) for _, v, d in waiting) > min(_MANY, u.shape[axis] - 1):
            return None
    return found


def _whole_or_mask(probe: _Probe, u: Array, rng: np.random.Generator) -> Part:
    """All of the block, unless the error stops at the diagonal, at a triangle or at the zeros of the gradient."""
    every = (None,) * u.ndim
    for name, mask in _masks(probe.gradient):
        inside, inside_bar = probe.error_along(np.where(mask, u, 0.0))
        if not _seen(inside, inside_bar):
            return Part("mask", every, f"all but {name}", probe.spent, f"all but {name}")
        outside, outside_bar = probe.error_along(np.where(mask, 0.0, u))
        if not _seen(outside, outside_bar):
            return Part("mask", every, name, probe.spent, name)
    return _sampled(probe, u, rng)


def _sampled(probe: _Probe, u: Array, rng: np.random.Generator) -> Part:
    """Look at a few single elements: if any of them is surely right, the error is scattered."""
    every = (None,) * u.ndim
    right = 0
    chosen = rng.choice(u.size, size=min(6, u.size), replace=False)
    for flat in chosen:
        single = np.zeros(u.size)
        single[flat] = u.reshape(-1)[flat]
        value, bar = probe.error_along(single.reshape(u.shape))
        slope = abs(analytic_slope(probe.gradient, single.reshape(u.shape)))
        right += abs(value) <= bar and bar < 1e-3 * max(slope, abs(value))
    if right:
        return Part("mask", every, "some of the elements", probe.spent, "some of the elements")
    return Part("all", every, "all", probe.spent)


def _masks(gradient: Array) -> list[tuple[str, Array]]:
    zero = gradient == 0
    found: list[tuple[str, Array]] = []
    if zero.any() and not zero.all():
        found.append(("the elements where the gradient is 0", zero))
    if gradient.ndim == 2 and gradient.shape[0] == gradient.shape[1] > 1:
        ones = np.ones(gradient.shape, dtype=bool)
        found.append(("the diagonal", np.eye(len(gradient), dtype=bool)))
        found.append(("the upper triangle", np.triu(ones, 1)))
        found.append(("the lower triangle", np.tril(ones, -1)))
    return found


def _seen(value: float, bar: float) -> bool:
    return abs(value) > _MARGIN * bar


def _spread(code: Array, ndim: int, axis: int) -> Array:
    return code.reshape([-1 if k == axis else 1 for k in range(ndim)])


def _only(u: Array, axis: int, indices: Any) -> Array:
    """u on these indices of the axis, zero elsewhere."""
    kept = np.zeros_like(u)
    place = tuple(list(indices) if k == axis else slice(None) for k in range(u.ndim))
    kept[place] = u[place]
    return kept


def _part(found: Indices, shape: tuple[int, ...], spent: int) -> Part:
    full = tuple(f if f is not None or n > 1 else (0,) for f, n in zip(found, shape, strict=True))
    single = all(f is not None for f in full)
    kind: Kind = "elements" if single else "slices"
    elements = tuple(itertools.product(*(f or () for f in full))) if single else ()
    return Part(kind, found, words_of(full, shape), spent, elements=elements)
