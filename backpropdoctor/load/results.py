"""What the user's functions returned: the loss as a number, gradients out of their wrapping; exceptions as findings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..finding import Finding, make_finding
from ..tree import is_number
from .calling import UserCodeError


def scalar_of(result: Any) -> Any:
    """The number in what a loss returned: the number itself, an array of one element, the first of (loss, …)."""
    if isinstance(result, (list, tuple)) and result:
        result = result[0]
    try:
        array = np.asarray(result)
    except ValueError:
        return None
    if array.size != 1 or array.dtype.kind not in "fciu":
        return None
    return array.reshape(-1)[0]


def claimed(result: Any, structure: Any, params: Any, loss: Any) -> Any:
    """The gradients in what the gradient function returned: alone, after the loss as in (loss, grads), or left behind.

    A function that returns None has left them in the object it was given, under the names of gradients.
    """
    if result is None:
        return structure
    nested = isinstance(result, tuple) and bool(result) and isinstance(result[0], (list, tuple, Mapping))
    if isinstance(result, tuple) and len(result) == 2 and not hasattr(result, "_fields") and not nested:
        first = scalar_of(result[0])
        pair_of_numbers = isinstance(params, (list, tuple)) and len(params) == 2 and not isinstance(result[1], Mapping)
        if first is not None and np.ndim(result[0]) == 0 and is_number(first):
            same = bool(np.real(first) == np.real(loss))
            if same or not (pair_of_numbers and np.ndim(_or_none(params[0])) == 0):
                return result[1]
    return result


def _or_none(value: Any) -> Any:
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        return np.zeros(2)


def raised(error: UserCodeError, code: str) -> Finding:
    """An exception of the user's code as a finding."""
    return make_finding(code, str(error), span=error.span, label="raised here", evidence={"error": type(error.error).__name__})
