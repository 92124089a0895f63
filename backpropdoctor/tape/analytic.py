"""Operations continued to complex arguments, so that a complex step passes through what NumPy makes real.

Squire & Trapp (1998) need the analytic continuation of each operation: |x| is x or -x by the sign of its real part, a
variance is the mean of (x - mean)^2 without conjugation, and `math.exp` is `np.exp`.
"""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .buffers import Method


def _abs(x: Any) -> Any:
    x = np.asarray(x)
    return np.where(x.real < 0, -x, x)[()]


def _var(x: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    x = np.asarray(x)
    mean = np.mean(x, axis=axis, keepdims=True)
    count = x.size // max(mean.size, 1)
    return np.sum((x - mean) ** 2, axis=axis, keepdims=keepdims) / (count - ddof)


def _std(x: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    return np.sqrt(_var(x, axis=axis, ddof=ddof, keepdims=keepdims))


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002
    if ord not in (None, 2, "fro") or (ord == 2 and axis is None and np.ndim(x) > 1):
        raise TypeError("no analytic continuation of this norm")
    return np.sqrt(np.sum(np.asarray(x) ** 2, axis=axis, keepdims=keepdims))


def _by_real(choose: Callable[..., Any]) -> Callable[..., Any]:
    def chosen(*args: Any, **kwargs: Any) -> Any:
        if "key" in kwargs:
            raise TypeError("no analytic continuation with a key")
        return choose(*args, key=lambda x: np.real(x), **kwargs)

    return chosen


def _identity(x: Any = 0.0) -> Any:
    return x


def _log1p(x: Any) -> Any:
    return np.log1p(x)


def _logaddexp(a: Any, b: Any) -> Any:
    top = np.where(np.real(a) > np.real(b), a, b)
    return top + np.log(np.exp(a - top) + np.exp(b - top))


def _hypot(a: Any, b: Any) -> Any:
    return np.sqrt(np.asarray(a) ** 2 + np.asarray(b) ** 2)


def _fsum(xs: Any) -> Any:
    return sum(xs)


def _sign(x: Any) -> Any:
    return np.sign(np.real(x))


def _clip(x: Any, low: Any = None, high: Any = None, out: Any = None, **bounds: Any) -> Any:
    low, high = bounds.get("a_min", bounds.get("min", low)), bounds.get("a_max", bounds.get("max", high))
    x = np.asarray(x)
    if low is not None:
        x = np.where(x.real < np.real(low), low, x)
    if high is not None:
        x = np.where(x.real > np.real(high), high, x)
    return x[()]


def _real(x: Any) -> Any:
    raise TypeError("takes the real part")


def _float_power(x: Any, y: Any) -> Any:
    return np.power(x, y)


_CONTINUED: dict[Any, Callable[..., Any]] = {
    abs: _abs,
    operator.abs: _abs,
    np.abs: _abs,
    np.fabs: _abs,
    math.fabs: _abs,
    np.var: _var,
    np.std: _std,
    np.linalg.norm: _norm,
    np.vdot: lambda a, b: np.dot(np.ravel(a), np.ravel(b)),
    builtins.max: _by_real(builtins.max),
    builtins.min: _by_real(builtins.min),
    float: _identity,
    np.float64: _identity,
    np.float32: _identity,
    math.exp: np.exp,
    math.log: lambda x, base=None: np.log(x) if base is None else np.log(x) / np.log(base),
    math.log2: np.log2,
    math.log10: np.log10,
    math.log1p: _log1p,
    math.expm1: np.expm1,
    math.sqrt: np.sqrt,
    math.pow: _float_power,
    math.sin: np.sin,
    math.cos: np.cos,
    math.tan: np.tan,
    math.tanh: np.tanh,
    math.sinh: np.sinh,
    math.cosh: np.cosh,
    math.atan: np.arctan,
    math.fsum: _fsum,
    math.hypot: _hypot,
    np.hypot: _hypot,
    np.logaddexp: _logaddexp,
    np.sign: _sign,
    np.clip: _clip,
    np.real: _real,
    np.conj: _real,
    np.conjugate: _real,
}

_METHODS: dict[str, Callable[..., Any]] = {
    "var": _var,
    "std": _std,
    "clip": _clip,
    "conj": _real,
    "conjugate": _real,
    "item": lambda x, *at: np.asarray(x).item(*at),
}

_FLOATS = (np.float16, np.float32, np.float64, np.longdouble, float)


def analytic(
    op: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
    """The operation to use on complex arguments, with dtypes among its arguments made complex."""
    if isinstance(op, Method):
        op = _METHODS.get(op.name, op)
    else:
        try:
            op = _CONTINUED.get(op, op)
        except TypeError:  # an unhashable callable
            pass
    args, kwargs = adapt_dtypes(args, kwargs, np.complex128)
    return op, args, kwargs


def adapt_dtypes(args: tuple[Any, ...], kwargs: dict[str, Any], dtype: type) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with every float dtype among them replaced by `dtype`."""
    return tuple(_adapt(a, dtype) for a in args), {k: _adapt(v, dtype) for k, v in kwargs.items()}


def _adapt(argument: Any, dtype: type) -> Any:
    if isinstance(argument, type) and argument in _FLOATS:
        return dtype
    if isinstance(argument, np.dtype) and argument.kind == "f":
        return np.dtype(dtype)
    if isinstance(argument, str) and argument in ("float", "float16", "float32", "float64", "f2", "f4", "f8", "f", "d"):
        return dtype
    return argument
