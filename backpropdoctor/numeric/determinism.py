"""Whether a function gives the same result twice, bit for bit: tested before anything else is measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Repeat:
    """The results of several calls: whether all are the same, the largest absolute `spread`, and where it is.

    `spread` is inf where the results differ in structure, shape or finiteness. `relative` is the spread over the
    largest value; `where` names the first differing part ("['W1']", '' for the whole). `first` is the first result.
    """

    same: bool
    spread: float
    relative: float
    where: str
    first: Any


def repeatable(call: Callable[[], Any], n: int = 2) -> Repeat:
    """Call n times and compare the results (numbers, arrays, or lists, tuples, dicts, dataclasses of them) bitwise.

    Results are copied at once, so a function that returns the same buffer each time is compared too.
    """
    results = [list(_copied(call())) for _ in range(n)]
    worst = Repeat(True, 0.0, 0.0, "", _restore(results[0]))
    for other in results[1:]:
        found = _compare(results[0], other)
        if not found.same and (worst.same or found.spread > worst.spread):
            worst = Repeat(False, found.spread, found.relative, found.where, worst.first)
    return worst


def compare_results(first: Any, second: Any) -> Repeat:
    """The same comparison for two results at hand."""
    return _compare(list(_copied(first)), list(_copied(second)))


def _compare(first: list[tuple[str, Any]], second: list[tuple[str, Any]]) -> Repeat:
    if [name for name, _ in first] != [name for name, _ in second]:
        return Repeat(False, math.inf, math.inf, "", _restore(first))
    spread, relative, where = 0.0, 0.0, None
    for (name, a), (_, b) in zip(first, second, strict=True):
        difference, size = _difference(a, b)
        if difference is None:
            continue
        where = name if where is None else where
        spread = max(spread, difference)
        relative = max(relative, difference / size if size > 0 else math.inf)
    return Repeat(where is None, spread, relative, where or "", _restore(first))


def _difference(a: Any, b: Any) -> tuple[float | None, float]:
    """The largest difference of two leaves, None where they are the same bits, and the larger size."""
    if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)):
        return (None if type(a) is type(b) and _equal(a, b) else math.inf), 1.0
    if a.shape != b.shape or a.dtype != b.dtype:
        return math.inf, 1.0
    if a.dtype.kind not in "fciub":
        return (None if _equal(a.tolist(), b.tolist()) else math.inf), 1.0
    if a.tobytes() == b.tobytes():
        return None, 1.0
    wide = np.complex128 if a.dtype.kind == "c" else np.float64
    with np.errstate(all="ignore"):
        x, y = a.astype(wide), b.astype(wide)
        size = float(np.max(np.maximum(np.abs(x), np.abs(y)), initial=0.0))
        gap = np.where(np.isnan(x) & np.isnan(y), 0.0, np.abs(x - y))
        gap = np.where(x == y, 0.0, gap)
        worst = float(np.max(gap, initial=0.0))
    if worst == 0.0:  # 0.0 against -0.0, or two kinds of nan
        return None, size
    return (worst if math.isfinite(worst) else math.inf), size


def _equal(a: Any, b: Any) -> bool:
    try:
        return bool(a == b)
    except Exception:
        return a is b


def _copied(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _copied(item, f"{path}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _copied(item, f"{path}[{i}]")
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from _copied(getattr(value, each.name), f"{path}.{each.name}")
    elif isinstance(value, (bool, int, float, complex, np.generic, np.ndarray)):
        yield path, np.array(value)
    elif hasattr(value, "__array__"):
        yield path, np.array(np.asarray(value))
    else:
        yield path, value


def _restore(leaves: list[tuple[str, Any]]) -> Any:
    return leaves[0][1] if len(leaves) == 1 and leaves[0][0] == "" else dict(leaves)
