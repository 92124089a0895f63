"""Why an operand has the fatal value: which variable holds it, and whether a saturated function put it there."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .classify import Cause, exp_limit
from .peek import Peek, element, equals, variables
from .values import as_numbers, shown

Named = tuple[str, Any]


def reasons(
    operands: Iterable[ast.expr], cause: Cause, shape: tuple[int, ...], peek: Peek, known: Iterable[Named]
) -> Iterator[str]:
    """`explain` for operands given by their syntax, in a running frame."""
    return explain([variables(node, peek) for node in operands], cause, shape, list(known))


def explain(made_of: Sequence[Sequence[Named]], cause: Cause, shape: tuple[int, ...], known: Sequence[Named]) -> Iterator[str]:
    """One sentence each: "`A[2][0, 5]` is exactly 1.0 (sigmoid saturated: its argument 37.5 is above 36.7)".

    `made_of` has the named values of each operand, `shape` is that of the result, `known` the named arrays of the program.
    """
    if cause.index is None:
        return
    numbered = list(enumerate(zip(made_of, cause.operands, strict=False)))
    if cause.kind in ("division-by-zero", "zero-over-zero"):
        numbered.reverse()  # what is divided by says more
    for position, (names, number) in numbered:
        if number is None or not _fatal(cause, number, position):
            continue
        for name, value in names:
            label, item = element(name, value, cause.index, shape)
            if np.asarray(item).size != 1:
                yield from _all_zero(name, value, cause.index, shape)
                continue
            words = equals(label, item)
            origin = saturation(value, _index_of(value, cause.index, shape), known)
            yield f"{words} ({origin})" if origin else words


def _all_zero(name: str, value: Any, index: tuple[int, ...], shape: tuple[int, ...]) -> Iterator[str]:
    """ "`z[11]` is all zeros", of the row that was reduced to the element."""
    array = as_numbers(value)
    if array is not None and array.ndim > len(shape) > 0 and array.shape[: len(shape)] == shape and not array[index].any():
        yield f"`{name}[{', '.join(map(str, index))}]` is all zeros"


def _fatal(cause: Cause, number: Any, position: int) -> bool:
    """Whether this operand is the one that made the result non-finite."""
    if cause.kind in ("division-by-zero", "zero-over-zero") and len(cause.operands) > 1:
        return number == 0 and (position == 1 or cause.kind == "zero-over-zero")
    return True


def _index_of(value: Any, index: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...] | None:
    array = np.asarray(value)
    if array.ndim == 0 or array.ndim > len(shape):
        return None
    try:
        np.broadcast_to(array, shape)
    except ValueError:
        return None
    return tuple(0 if n == 1 else i for i, n in zip(index[len(shape) - array.ndim :], array.shape, strict=True))


def sigmoid_limit(dtype: np.dtype) -> float:
    """The argument from which 1/(1 + exp(-z)) is exactly 1: 36.74, 16.64 and 7.62 for float64, float32 and float16.

    1 + exp(-z) rounds to 1 once exp(-z) is at most half of the spacing of 1.
    """
    return float(-np.log(np.finfo(dtype).eps / 2))


def saturation(value: Any, index: tuple[int, ...] | None, known: Iterable[Named]) -> str:
    """How a saturated sigmoid, softmax or tanh made this element, recognised by recomputing it from a known array; else ''."""
    array = as_numbers(value)
    if array is None or array.dtype.kind != "f" or array.ndim == 0 or index is None:
        return ""
    if not (array.min() >= -1 and array.max() <= 1):
        return ""
    for name, candidate in known:
        z = as_numbers(candidate)
        if z is None or z is array or z.shape != array.shape or z.dtype != array.dtype:
            continue
        with np.errstate(all="ignore"):
            found = _recognised(name, z, array, index)
        if found:
            return found
    return ""


def _recognised(name: str, z: np.ndarray, a: np.ndarray, index: tuple[int, ...]) -> str:
    here, out = float(z[index]), float(a[index])
    if out in (0.0, 1.0) and same_values(1 / (1 + np.exp(-z)), a):
        limit = sigmoid_limit(z.dtype) if out == 1.0 else -exp_limit(z.dtype)
        side = "above" if out == 1.0 else "below"
        return f"sigmoid saturated: its argument {here:.3g} is {side} {limit:.3g}"
    if abs(out) == 1.0 and same_values(np.tanh(z), a):
        return f"tanh saturated at its argument {here:.3g}"
    if out == 0.0:
        for axis in range(z.ndim):
            exps = np.exp(z - z.max(axis=axis, keepdims=True))
            if same_values(exps / exps.sum(axis=axis, keepdims=True), a):
                gap = (
                    float(np.max(z, axis=axis, keepdims=True)[tuple(0 if k == axis else i for k, i in enumerate(index))]) - here
                )
                return f"softmax underflowed: its argument {here:.3g} lies {gap:.4g} below the largest"
    if out == 0.0 and here < 0 and same_values(np.maximum(z, 0), a):
        return f"relu of {shown(here)}"
    return ""


def same_values(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal to four units in the last place."""
    return bool(np.allclose(a, b, rtol=4 * np.finfo(b.dtype).eps, atol=float(np.finfo(b.dtype).tiny), equal_nan=True))
