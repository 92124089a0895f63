"""Heat maps of a gradient: analytic, numeric, and their difference."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from .as_json import plain
from .svg import figure, floats
from .wording import number

SHADES = 7  # of each sign
CELLS = 32  # most cells of a heat map along one side

Grid = list[list[float]]


PANELS = ("analytic (your code)", "numeric (measured)", "difference")


def heatmap(data: Mapping[str, Any], name: str, key: str) -> Markup:
    """Analytic, numeric and difference side by side; the first two share a scale."""
    name = str(data.get("tensor", name))
    analytic, numeric = _grid(data["analytic"]), _grid(data["numeric"])
    rows, columns = len(analytic), len(analytic[0])
    if len(numeric) != rows or len(numeric[0]) != columns:
        return Markup("")
    picks = _picks(analytic, numeric, rows, columns)
    panels = [[[grid[i][j] for i, j in line] for line in picks] for grid in (analytic, numeric)]
    panels.append([[a - n for a, n in zip(x, y, strict=True)] for x, y in zip(*panels, strict=True)])
    high, width = len(picks), len(picks[0])
    cell_x, cell_y = min(24.0, 192 / width), min(24.0, 192 / high)
    shared = _largest([*panels[0], *panels[1]])
    scales = (shared, shared, _largest(panels[2]))
    wrong = sorted({int(r) * high // rows for r in data.get("wrong_rows", ())})
    wrong_columns = sorted({int(c) * width // columns for c in data.get("wrong_columns", ())})
    cells = [(int(i) * high // rows, int(j) * width // columns) for i, j in data.get("wrong_elements", ())]
    step = max(width * cell_x + 34, 146)
    body = []
    for k, (panel, scale, title) in enumerate(zip(panels, scales, PANELS, strict=True)):
        body.append(f'<g transform="translate({14 + k * step:.1f} 30)"><text y="-14" class="label">{title}</text>')
        body.append(f'<rect class="panel" width="{width * cell_x:.1f}" height="{high * cell_y:.1f}"/>')
        body.append(_cells(panel, scale, cell_x, cell_y))
        body.append(f'<rect class="frame" width="{width * cell_x:.1f}" height="{high * cell_y:.1f}"/>')
        for r in wrong:
            body.append(f'<path class="pointer" d="M-9 {(r + 0.5) * cell_y - 4:.1f}l7 4l-7 4z"/>')
        for c in wrong_columns:
            body.append(f'<path class="pointer" d="M{(c + 0.5) * cell_x - 4:.1f} -9l8 0l-4 7z"/>')
        for i, j in cells[:50]:
            place = f'x="{j * cell_x:.1f}" y="{i * cell_y:.1f}" width="{cell_x:.1f}" height="{cell_y:.1f}"'
            body.append(f'<rect class="ring" {place}/>')
        largest = _largest(panel)
        scaled = f"up to {number(largest, 3)}" if largest else "all zero"
        body.append(f'<text y="{high * cell_y + 16:.1f}" class="small">{scaled}</text></g>')
    words = "; ".join(_words(data, (rows, columns), (high, width), panels))
    title = f"the gradient of {name}, element by element"
    size = (14 + 3 * step, 30 + high * cell_y + 24)
    return figure(title, words, body, size, key)


def _words(data: Mapping[str, Any], shape: tuple[int, int], drawn: tuple[int, int], panels: Sequence[Grid]) -> list[str]:
    """What is drawn, and what of it is marked, for the caption and for those who do not see it."""
    height, width = _block(data)
    size = " x ".join(str(n) for n in data.get("shape") or shape)
    words = [f"{size} elements"]
    if height * width > 1:
        words.append(f"each cell is the sum over {height} x {width} of them")
    if drawn != shape:
        words.append(f"drawn as {drawn[0]} x {drawn[1]}, each cell the worst of its part")
    if data.get("factor"):
        words.append(f"your code's side divided by {number(float(data['factor']))}, which all gradients share")
    words.append(f"largest difference {number(_largest(panels[2]), 3)}")
    odd = any(not math.isfinite(v) for panel in panels[:2] for line in panel for v in line)
    words.append("red above zero, blue below, stronger for larger" + (", violet not finite" if odd else ""))
    if data.get("wrong_rows"):
        words.append(f"wrong rows: {_some(data['wrong_rows'], height)}")
    if data.get("wrong_columns"):
        words.append(f"wrong columns: {_some(data['wrong_columns'], width)}")
    if cells := data.get("wrong_elements"):
        one = height * width == 1
        places = [f"({int(i)}, {int(j)})" if one else f"({_range(i, height)}, {_range(j, width)})" for i, j in cells]
        words.append(f"{'wrong elements' if one else 'wrong in the cells'}: {_enumerated(places)}")
    return words


def _block(data: Mapping[str, Any]) -> tuple[int, int]:
    """How many elements a cell stands for, down and across."""
    height, width = data.get("block") or (1, 1)
    return int(height), int(width)


def _cells(panel: Grid, scale: float, cell_x: float, cell_y: float) -> str:
    """One path for each shade, made of horizontal runs."""
    runs: dict[tuple[str, int], list[str]] = {}
    for i, line in enumerate(panel):
        shades = [_shade(v, scale) for v in line]
        start = 0
        for j in range(1, len(line) + 1):
            if j == len(line) or shades[j] != shades[start]:
                if shades[start][1]:
                    x, width = start * cell_x, (j - start) * cell_x
                    run = f"M{x:.4g} {i * cell_y:.4g}h{width:.4g}v{cell_y:.4g}h{-width:.4g}z"
                    runs.setdefault(shades[start], []).append(run)
                start = j
    return "".join(
        f'<path class="{kind}" fill-opacity="{level / SHADES:.2f}" d="{"".join(parts)}"/>'
        for (kind, level), parts in sorted(runs.items())
    )


def _shade(value: float, scale: float) -> tuple[str, int]:
    if not math.isfinite(value):
        return "odd", SHADES
    level = round(SHADES * value / scale) if scale else 0
    return ("above" if level > 0 else "below" if level < 0 else "zero"), abs(level)


def _picks(analytic: Grid, numeric: Grid, rows: int, columns: int) -> list[list[tuple[int, int]]]:
    """The element that stands for each cell: of a block of several, the one where the two differ most."""
    high, width = min(rows, CELLS), min(columns, CELLS)

    def worst(i: int, j: int) -> tuple[int, int]:
        block = (
            (r, c)
            for r in range(i * rows // high, (i + 1) * rows // high)
            for c in range(j * columns // width, (j + 1) * columns // width)
        )
        return max(block, key=lambda rc: _size(analytic[rc[0]][rc[1]] - numeric[rc[0]][rc[1]]))

    return [[worst(i, j) for j in range(width)] for i in range(high)]


def _size(value: float) -> float:
    return abs(value) if math.isfinite(value) else math.inf


def _largest(grid: Iterable[Sequence[float]]) -> float:
    return max((abs(v) for line in grid for v in line if math.isfinite(v)), default=0.0)


def _grid(value: Any) -> Grid:
    """A two-dimensional list of floats; a one-dimensional one is one row."""
    lines = plain(value)
    if not lines or not isinstance(lines, list):
        raise ValueError("empty")
    if not isinstance(lines[0], list):
        lines = [lines]
    grid = [floats(line) for line in lines]
    if not grid[0] or any(len(line) != len(grid[0]) for line in grid):
        raise ValueError("ragged")
    return grid


def _some(indices: Sequence[Any], size: int) -> str:
    return _enumerated([_range(i, size) for i in indices])


def _range(index: Any, size: int) -> str:
    """The elements that an index of cells stands for: '3', or '8-15'."""
    first = int(index) * size
    return str(first) if size == 1 else f"{first}-{first + size - 1}"


def _enumerated(words: Sequence[str], most: int = 12) -> str:
    said = ", ".join(words[:most])
    return said if len(words) <= most else f"{said} and {len(words) - most} more"
