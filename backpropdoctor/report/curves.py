"""Curves of a run: the error over the step of a difference, the loss, the size of the updates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

from .svg import figure, floats
from .wording import number

POINTS = 240  # most points of a curve: more than its pixels show nothing
SERIES = 6  # as many dash patterns as can be told apart

Point = tuple[float, float]


@dataclass(slots=True)
class Axis:
    """One axis of a chart: its label, whether it is logarithmic, and its range."""

    label: str
    log: bool
    tight: bool = False  # ends at the data and not at a round number
    whole: bool = False  # counts: no tick between two whole numbers
    low: float = 0.0
    high: float = 1.0
    ticks: list[float] = field(default_factory=list)

    def fit(self, values: Iterable[float]) -> None:
        """Set range and ticks to hold the values."""
        good = [v for v in values if math.isfinite(v) and (v > 0 or not self.log)]
        low, high = (min(good), max(good)) if good else (1.0, 1.0)
        if self.log:
            first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
            last = max(last, first + 1)
            self.low, self.high = float(first), float(last)
            every = max(1, math.ceil((last - first) / 6))
            self.ticks = [10.0**k for k in range(first, last + 1, every)]
            return
        if low == high:
            low, high = low - (abs(low) / 2 or 0.5), high + (abs(high) / 2 or 0.5)
        step = _nice((high - low) / 5)
        step = max(step, 1.0) if self.whole else step
        if self.tight:
            first, last = math.ceil(low / step), math.floor(high / step)
            self.low, self.high = low, high
        else:
            first, last = math.floor(low / step), math.ceil(high / step)
            self.low, self.high = first * step, last * step
        self.ticks = [k * step for k in range(first, last + 1)]

    def words(self, tick: float) -> str:
        """A tick as it is written: powers of ten all in one form, but for the everyday ones."""
        if self.log and not (self.ticks[0] >= 1e-2 and self.ticks[-1] <= 1e4):
            return f"1e{round(math.log10(tick))}"
        if self.whole:
            return f"{tick:,.0f}"
        return number(tick, 3)

    def place(self, value: float) -> float:
        """Where a value stands between 0 and 1."""
        at = math.log10(value) if self.log else value
        return (at - self.low) / (self.high - self.low)


def ladder(data: Mapping[str, Any], name: str, key: str) -> Markup:
    """How far the difference quotient is from the measured derivative, over its step; both axes logarithmic."""
    points = [(h, e) for h, e in zip(floats(data["h"]), floats(data["error"]), strict=True) if h > 0 and e > 0]
    if len(points) < 2:
        return Markup("")
    best = min(points, key=lambda p: p[1])
    words = f"the quotient comes as near as {number(best[1], 2)}, at h = {number(best[0], 2)}"
    series = {"quotient": points}
    claim = float(data.get("claim", 0.0))
    if claim > 0:
        ends = [h for h, _ in points]
        series["your code"] = [(min(ends), claim), (max(ends), claim)]
        words += f"; your code's derivative is {number(claim, 2)} away"
    axes = Axis("step h", True), Axis("distance from the truth", True)
    title = f"(f(x + h) - f(x - h)) / 2h for {name}: how far from the true derivative, over the step h"
    return _chart(series, axes, title, words, key, dots=("quotient",))


def loss_curve(data: Any, name: str, key: str) -> Markup:
    if isinstance(data, Mapping):
        values = floats(data["values"])
        steps = floats(data.get("steps", range(len(values))))
    else:
        values = floats(data)
        steps = [float(k) for k in range(len(values))]
    points = list(zip(steps, values, strict=True))
    if len(points) < 2:
        return Markup("")
    log = _wide(values)
    words = f"{number(values[0], 4)} at step {number(steps[0])}, {number(values[-1], 4)} at step {number(steps[-1])}"
    axes = Axis("step", False, tight=True, whole=True), Axis("loss", log)
    return _chart({"loss": points}, axes, "the loss over the steps", words, key, dots=("loss",) if len(points) < 13 else ())


def ratio_curves(data: Mapping[str, Any], name: str, key: str) -> Markup:
    drawn = {str(k): floats(v) for k, v in list(data.items())[:SERIES]}
    series = {k: [(float(x), y) for x, y in enumerate(ys)] for k, ys in drawn.items() if len(ys) > 1}
    if not series:
        return Markup("")
    still = [k for k, points in series.items() if not any(points[i][1] for i in range(len(points)))]
    more = f"; {len(data) - SERIES} more are not drawn" if len(data) > SERIES else ""
    told = {k: "never moves" if k in still else f"{number(p[0][1], 3)} to {number(p[-1][1], 3)}" for k, p in series.items()}
    words = "; ".join(f"{k}: {text}" for k, text in told.items()) + more
    axes = (
        Axis("step", False, tight=True, whole=True),
        Axis("|update| / |parameter|", any(y > 0 for p in series.values() for _, y in p)),
    )
    title = "how far each step moves each parameter, beside the size of the parameter"
    return _chart(series, axes, title, words, key, dots=tuple(series) if max(map(len, series.values())) < 13 else ())


def _wide(values: Sequence[float]) -> bool:
    """Whether a logarithmic axis shows more: all positive, over more than three decades."""
    good = [v for v in values if math.isfinite(v)]
    return bool(good) and min(good) > 0 and max(good) / min(good) > 1e3


def _chart(
    series: Mapping[str, Sequence[Point]],
    axes: tuple[Axis, Axis],
    title: str,
    words: str,
    key: str,
    dots: Sequence[str] = (),
) -> Markup:
    """Lines over a grid. What has no place is a cross: on top what is not finite, at the bottom a zero on a log axis."""
    left, top, wide, high = 70, 12, 430, 170
    x_axis, y_axis = axes
    x_axis.fit(x for points in series.values() for x, _ in points)
    y_axis.fit(y for points in series.values() for _, y in points)

    def at(x: float, y: float) -> str:
        return f"{left + wide * x_axis.place(x):.1f} {top + high * (1 - y_axis.place(y)):.1f}"

    body = [_frame(x_axis, y_axis, left, top, wide, high)]
    for k, (name, points) in enumerate(series.items()):
        parts, pen_down = [], False
        for x, y in _thinned(points):
            shown = math.isfinite(y) and (y > 0 or not y_axis.log)
            if shown:
                parts.append(f"{'L' if pen_down else 'M'}{at(x, y)}")
            else:
                across, zero = left + wide * x_axis.place(x), math.isfinite(y)
                down = top + high - 9 - 9 * k if zero else top + 3
                kind = f"zero s{k}" if zero else "cross"
                body.append(f'<path class="{kind}" d="M{across - 3:.1f} {down}l6 6m0 -6l-6 6"/>')
            pen_down = shown
        body.append(f'<path class="line s{k}" d="{"".join(parts)}"/>')
        if name in dots:
            seen = [p for p in points if math.isfinite(p[1]) and (p[1] > 0 or not y_axis.log)]
            body += [f'<circle class="dot s{k}" cx="{p[0]}" cy="{p[1]}" r="3"/>' for p in (at(*q).split() for q in seen)]
        if len(series) > 1:
            y = top + 10 + 16 * k
            body.append(f'<path class="line s{k}" d="M{left + wide + 12} {y - 4}h22"/>')
            body.append(f'<text x="{left + wide + 40}" y="{y}" class="small">{escape(_cut(name))}</text>')
    longest = max(len(_cut(name)) for name in series)
    size = (left + wide + (52 + 7 * longest if len(series) > 1 else 26), top + high + 44)
    return figure(title, words, body, size, key)


def _cut(name: str, most: int = 28) -> str:
    return name if len(name) <= most else name[: most - 1] + "\u2026"


def _frame(x_axis: Axis, y_axis: Axis, left: int, top: int, wide: int, high: int) -> str:
    parts = []
    for tick in x_axis.ticks:
        x = left + wide * x_axis.place(tick)
        parts.append(f'<path class="grid" d="M{x:.1f} {top}v{high}"/>')
        parts.append(f'<text class="small" text-anchor="middle" x="{x:.1f}" y="{top + high + 15}">{x_axis.words(tick)}</text>')
    for tick in y_axis.ticks:
        y = top + high * (1 - y_axis.place(tick))
        parts.append(f'<path class="grid" d="M{left} {y:.1f}h{wide}"/>')
        parts.append(f'<text class="small" text-anchor="end" x="{left - 6}" y="{y + 4:.1f}">{y_axis.words(tick)}</text>')
    middle = left + wide / 2
    parts.append(f'<text class="label" text-anchor="middle" x="{middle}" y="{top + high + 34}">{escape(x_axis.label)}</text>')
    turn = f"rotate(-90 12 {top + high / 2})"
    name = escape(y_axis.label)
    parts.append(f'<text class="label" text-anchor="middle" x="12" y="{top + high / 2}" transform="{turn}">{name}</text>')
    return "".join(parts)


def _thinned(points: Sequence[Point]) -> list[Point]:
    """At most about `POINTS` points; of each bucket the lowest, the highest and what is not finite stay."""
    if len(points) <= POINTS:
        return list(points)
    size = math.ceil(2 * len(points) / POINTS)
    kept: list[Point] = []
    for k in range(0, len(points), size):
        bucket = points[k : k + size]
        odd = [p for p in bucket if not math.isfinite(p[1])][:1]
        good = [p for p in bucket if math.isfinite(p[1])]
        ends = {min(good, key=lambda p: p[1]), max(good, key=lambda p: p[1])} if good else set()
        kept += sorted([*odd, *ends])
    return kept


def _nice(step: float) -> float:
    size = 10.0 ** math.floor(math.log10(step))
    return next(size * k for k in (1, 2, 5, 10) if size * k >= step * 0.999)
