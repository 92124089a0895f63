"""What led to a birth: growing weights, a loss that oscillates or climbs, from the samples taken on the way."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .birth import Birth

_GROWN = 3.0  # a parameter that grew by less is not worth a word
_FEW = 8  # fewer different losses than this show no trend


def history_of(
    birth: Birth, sizes: Sequence[tuple[int, dict[str, float]]], losses: Sequence[tuple[int, str, float]]
) -> list[str]:
    """Sentences about the steps before the birth; empty where the samples show nothing."""
    return [*_growth(birth, sizes), *_loss(losses)]


def curve_of(losses: Sequence[tuple[int, str, float]]) -> list[tuple[int, float]]:
    """The values of the loss that was seen last, each with the iteration in which it was first seen."""
    name = losses[-1][1] if losses else ""
    seen: list[tuple[int, float]] = []
    for step, label, value in losses:
        if label == name and step >= 0 and (not seen or (seen[-1][1] != value and seen[-1][0] != step)):
            seen.append((step, value))
    return seen


def _growth(birth: Birth, sizes: Sequence[tuple[int, dict[str, float]]]) -> list[str]:
    if len(sizes) < 2:
        return []
    first, last = sizes[0], sizes[-1]
    reached = {link.name for link in birth.reached}
    grown = []
    for name, end in last[1].items():
        start = first[1].get(name, 0.0)
        if start > 0 and end >= _GROWN * start and math.isfinite(end) and (not reached or name in reached):
            grown.append((end / start, name, start, end))
    if not grown:
        return []
    _, name, start, end = max(grown)
    return [f"the largest entry of `{name}` grew from {start:.3g} to {end:.3g} between iterations {first[0]} and {last[0]}"]


def _loss(losses: Sequence[tuple[int, str, float]]) -> list[str]:
    if not losses:
        return []
    name = losses[-1][1]
    values: list[float] = []
    for _, label, value in losses:
        if label == name and math.isfinite(value) and (not values or values[-1] != value):
            values.append(value)
    values = values[-40:]
    if len(values) < _FEW:
        return []
    moves = [b - a for a, b in zip(values, values[1:], strict=False)]
    rises = sum(m > 0 for m in moves)
    if rises == len(moves):
        return [f"`{name}` rose at every look, from {values[0]:.3g} to {values[-1]:.3g}"]
    turns = sum((a > 0) != (b > 0) for a, b in zip(moves, moves[1:], strict=False))
    if turns > len(moves) / 2:
        return [f"`{name}` oscillated between {min(values):.3g} and {max(values):.3g}"]
    return []
