"""How accurate a stable formula is: against the same formula in 40 decimal digits, at arguments that were recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context, Decimal, localcontext
from typing import Any

import numpy as np

from ..checks.nonfinite.because import same_values

_DIGITS = Context(prec=40, Emin=-999999, Emax=999999)
_MOST = 200  # elements that are compared


def sigmoid(z: float) -> Decimal:
    """1 / (1 + exp(-z)) in 40 digits."""
    with localcontext(_DIGITS):
        return 1 / (1 + (-Decimal(z)).exp())


def log_sigmoid(z: float) -> Decimal:
    """log(1 / (1 + exp(-z))) in 40 digits."""
    with localcontext(_DIGITS):
        return -((1 + (-Decimal(z)).exp()).ln())


def log_softmax(row: Sequence[float], k: int) -> Decimal:
    """z_k - log(sum(exp(z))) in 40 digits."""
    with localcontext(_DIGITS):
        top = max(Decimal(float(z)) for z in row)
        total = sum(((Decimal(float(z)) - top).exp() for z in row), Decimal(0))
        return Decimal(float(row[k])) - top - total.ln()


def largest_error(values: Any, reference: Callable[[int], Decimal]) -> float:
    """The largest |value - reference| over (1 + |reference|), over at most 200 evenly spread elements of `values`."""
    flat = np.ravel(values)
    worst = 0.0
    with localcontext(_DIGITS):
        for i in np.unique(np.linspace(0, flat.size - 1, min(flat.size, _MOST)).astype(int)):
            exact = reference(int(i))
            worst = max(worst, float(abs(Decimal(float(flat[i])) - exact) / (1 + abs(exact))))
    return worst


def difference_error(output: Any, labels: Any, arrays: Sequence[Any]) -> float | None:
    """The error of `A - Y` against sigmoid(z) - Y in 40 digits, with the z among `arrays` that `output` is the sigmoid of."""
    a = np.asarray(output)
    z = next((z for z in map(np.asarray, arrays) if _is_logit(z, a)), None)
    if z is None:
        return None
    y, flat = np.ravel(np.asarray(labels, float)), np.ravel(z)
    return largest_error(a - np.asarray(labels, float), lambda i: sigmoid(float(flat[i])) - Decimal(float(y[i])))


def _is_logit(z: np.ndarray, a: np.ndarray) -> bool:
    if z.shape != a.shape or z.dtype != a.dtype or z.dtype.kind != "f":
        return False
    with np.errstate(all="ignore"):
        return same_values(1 / (1 + np.exp(-z)), a)
