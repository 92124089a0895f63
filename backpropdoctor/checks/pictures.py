"""What the drawings of a report show of a tensor: its gradient cell by cell, and difference quotients over their step.

A cell is a block of neighbouring elements that move together: its two numbers are the sum of the code's gradient over
the block and the measured derivative. So a picture costs as many measurements as it has cells, whatever the tensor's
size.
"""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np

from ..numeric.estimate import Estimate, Line

STEPS = tuple(2.0 ** -(3 * k + 1) for k in range(15))  # 0.5 to 1e-13: truncation on the left, roundoff on the right
_WRONG = 1e-6  # of a cell, and of the largest one: a smaller difference is not marked, though it is drawn
_MOST_MARKS = 24  # marks on one picture; where more is wrong, the difference itself shows it best

Slope = Callable[[np.ndarray], Estimate | None]

_ASKED = ContextVar("pictures that cost evaluations are asked for", default=False)


@contextlib.contextmanager
def drawn() -> Iterator[None]:
    """What is checked inside will be drawn: heat maps of functions are measured too, from what the budget leaves."""
    token = _ASKED.set(True)
    try:
        yield
    finally:
        _ASKED.reset(token)


def are_wanted() -> bool:
    """Whether a report will be drawn, as far as can be told: it was asked for, or a notebook shows its reports."""
    ipython = sys.modules.get("IPython")
    return _ASKED.get() or (ipython is not None and ipython.get_ipython() is not None)


def heatmap(gradient: np.ndarray, truth: Slope, most: int, factor: float = 1.0) -> dict[str, Any] | None:
    """The evidence of a heat map of at most `most` cells; None where the tensor has one element or a cell fails.

    `truth(u)` measures the derivative along u, an array of ones on a cell and zeros elsewhere. `factor` is what all
    gradients share with the truth by convention; the code's side is divided by it.
    """
    flat = np.asarray(gradient, dtype=float)
    grid = flat.reshape(1, -1) if flat.ndim < 2 else flat.reshape(flat.shape[0], -1)
    if grid.size < 2 or most < 2 or not np.isfinite(grid).all():
        return None
    height, width = block_of(grid.shape, most)
    analytic: list[list[float]] = []
    numeric: list[list[float]] = []
    bars: list[list[float]] = []
    for top in range(0, grid.shape[0], height):
        for side in (analytic, numeric, bars):
            side.append([])
        for left in range(0, grid.shape[1], width):
            cell = np.zeros_like(grid)
            cell[top : top + height, left : left + width] = 1.0
            found = truth(cell.reshape(flat.shape))
            if found is None or not np.isfinite(found.value):
                return None
            part = grid[top : top + height, left : left + width]
            analytic[-1].append(float(part.sum()) / factor)
            numeric[-1].append(float(found.value))
            bars[-1].append(2 * found.error + 8 * np.finfo(float).eps * float(np.abs(part).sum() / abs(factor)))
    marks = _marks(np.array(analytic), np.array(numeric), np.array(bars))
    rest = {"block": [height, width]} if height * width > 1 else {}
    shape = {"shape": [int(n) for n in flat.shape]} if rest or flat.ndim > 2 else {}
    scale = {"factor": factor} if factor != 1.0 else {}
    return {"analytic": analytic, "numeric": numeric, **marks, **rest, **shape, **scale}


def block_of(shape: tuple[int, ...], most: int) -> tuple[int, int]:
    """The height and width of the blocks that cut `shape` into at most `most` cells; a short axis stays whole."""
    side = math.isqrt(most)
    rows, columns = shape
    if rows <= side:
        return 1, -(-columns // (most // rows))
    if columns <= side:
        return -(-rows // (most // columns)), 1
    height = -(-rows // side)
    return height, -(-columns // (most // -(-rows // height)))


def _marks(analytic: np.ndarray, numeric: np.ndarray, bars: np.ndarray) -> dict[str, Any]:
    """The rows, columns and single cells that are wrong, where that is a part of the whole."""
    size = np.maximum(np.abs(analytic), np.abs(numeric))
    wrong = np.abs(analytic - numeric) > bars + _WRONG * (size + size.max())
    telling = size > _WRONG * size.max()  # a cell that is zero on both sides can say nothing
    if not wrong.any() or (wrong | ~telling).all():
        return {}
    rows = _lines(wrong, telling)
    columns = _lines(wrong.T, telling.T) if not rows else []
    left = wrong.copy()
    left[rows, :] = False
    left[:, columns] = False
    cells = [[int(i), int(j)] for i, j in np.argwhere(left)]
    found = {"wrong_rows": rows, "wrong_columns": columns, "wrong_elements": cells if len(cells) <= _MOST_MARKS else []}
    return {key: value for key, value in found.items() if value}


def _lines(wrong: np.ndarray, telling: np.ndarray) -> list[int]:
    """The rows in which all is wrong that can be, if there are others in which nothing is."""
    if wrong.shape[1] < 2:
        return []
    whole = [i for i in range(len(wrong)) if wrong[i].sum() > 1 and (wrong[i] | ~telling[i]).all()]
    clean = sum(not row.any() for row in wrong)
    return whole if clean and len(whole) <= _MOST_MARKS else []


def ladder(
    quotients: Iterable[tuple[float, float]], truth: float, claim: float | None = None, method: str = ""
) -> dict[str, Any] | None:
    """The evidence of a curve: how far each difference quotient, given as (step, value), is from the measured truth.

    `claim` is the code's own derivative along the same direction: how far that one is off is drawn as a level. None
    where there are fewer than two quotients.
    """
    points = sorted({(h, abs(q - truth)) for h, q in quotients if np.isfinite(q)}, reverse=True)
    if len(points) < 2 or not np.isfinite(truth):
        return None
    found: dict[str, Any] = {"h": [h for h, _ in points], "error": [e for _, e in points]}
    if claim is not None and np.isfinite(claim):
        found["claim"] = abs(claim - truth)
    if method:
        found["against"] = method
    return found


def quotients(phi: Line, steps: Sequence[float] = STEPS) -> list[tuple[float, float]]:
    """The central difference of phi at 0 over each step, two evaluations each; a step at which phi fails is left out."""
    found = []
    for h in steps:
        try:
            with np.errstate(all="ignore"):
                after, before = float(np.real(phi(h))), float(np.real(phi(-h)))
        except Exception:  # whatever the user's code raises away from the point: there is no quotient at this step
            continue
        found.append((h, (after - before) / (2 * h)))
    return found
