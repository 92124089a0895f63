"""Is a value finite, and what non-finite values does a container hold: nothing here raises or sets a flag."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

Badness = Literal["nan", "inf", "-inf"]

_ATOMS = (str, bytes, int, bool, type(None), complex, range, type)
_MAX_ITEMS = 4096  # elements of a plain list or dict that are looked at


def is_finite(value: Any) -> bool:
    """True unless `value` is a float, or an array or list of floats, that holds a NaN or an infinity."""
    kind = type(value)
    if kind is float:
        return math.isfinite(value)
    if kind is int or kind is bool:
        return True
    if isinstance(value, (np.ndarray, np.generic)):
        if value.dtype.kind in "fc":
            return bool(np.isfinite(value).all())
        if value.dtype.kind == "O":
            return all(is_finite(item) for item in np.ravel(value)[:_MAX_ITEMS])  # type: ignore[arg-type]
        return True
    if kind in (list, tuple):
        return all(is_finite(item) for item in value[:_MAX_ITEMS])
    if isinstance(value, (float, complex)):
        return math.isfinite(abs(value))
    return True


def as_numbers(value: Any) -> np.ndarray | None:
    """`value` as an array of floats (no copy where it is one), or None where it holds no numbers."""
    if isinstance(value, np.ndarray):
        array = value
    elif isinstance(value, (bool, int, float, complex, np.generic)):
        array = np.asarray(value)
    elif isinstance(value, (list, tuple)) and len(value) <= _MAX_ITEMS:
        try:
            with np.errstate(all="ignore"):
                array = np.asarray(value)
        except (ValueError, TypeError):
            return None
    else:
        return None
    if array.dtype.kind == "O":
        try:
            array = array.astype(float)
        except (ValueError, TypeError, OverflowError):
            return None
    return array if array.dtype.kind in "biufc" else None


def badness(value: Any) -> Badness | None:
    """'nan' where any element is NaN, else 'inf' or '-inf' where any is infinite, else None."""
    array = as_numbers(value)
    if array is None or array.dtype.kind not in "fc":
        return None
    if np.isnan(array).any():
        return "nan"
    infinite = np.isinf(array)
    if not infinite.any():
        return None
    if array.dtype.kind == "c":
        return "inf"
    return "inf" if (array[infinite] > 0).any() else "-inf"


def first_index(mask: np.ndarray) -> tuple[int, ...] | None:
    """The first true element of a boolean array (row-major); () for a true scalar, None where none is true."""
    if mask.ndim == 0:
        return () if bool(mask) else None
    flat = np.flatnonzero(mask)
    return tuple(int(i) for i in np.unravel_index(int(flat[0]), mask.shape)) if flat.size else None


def leaves(root: Any, name: str, depth: int = 3) -> Iterator[tuple[str, Any]]:
    """The numbers and arrays reachable from `root` with their names: "W", "grads['dW1']", "self.W[2]".

    Dictionaries, lists, tuples and the attributes of plain objects are walked, `depth` levels deep.
    """
    seen: set[int] = set()

    def walk(value: Any, label: str, level: int) -> Iterator[tuple[str, Any]]:
        if isinstance(value, (float, np.generic, np.ndarray)):
            yield label, value
        elif level > 0 and not isinstance(value, _ATOMS) and id(value) not in seen:
            seen.add(id(value))
            for part, item in _items(value):
                yield from walk(item, label + part, level - 1)

    yield from walk(root, name, depth)


def _items(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(f"[{key!r}]", item) for key, item in list(value.items())[:_MAX_ITEMS]]
    if isinstance(value, (list, tuple)):
        return [(f"[{i}]", item) for i, item in enumerate(value[:_MAX_ITEMS])]
    if type(value).__module__.partition(".")[0] in ("builtins", "numpy", "types", "random", "torch"):
        return []
    attributes = getattr(value, "__dict__", None)
    if not isinstance(attributes, dict) or callable(value) and not hasattr(value, "forward"):
        return []
    return [(f".{key}", item) for key, item in list(attributes.items())[:_MAX_ITEMS]]


def scalar(value: Any) -> float | complex:
    """A one-element value as a Python number."""
    item = np.asarray(value).reshape(-1)[0].item()
    return complex(item) if isinstance(item, complex) else float(item)


def shown(value: Any) -> str:
    """A number as a person writes it: 0, 1, 37.5, 1e+300, nan."""
    number = scalar(value)
    if isinstance(number, complex):
        return str(number)
    if math.isfinite(number) and number == int(number) and abs(number) < 1e6:
        return str(int(number))
    return f"{number:.6g}"
