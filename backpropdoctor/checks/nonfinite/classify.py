"""What kind of birth a non-finite result is: the operation, its operands and its value in, a class and a sentence out.

Elementwise operations are judged element by element, everything else by slices or as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .values import as_numbers, badness, first_index, scalar, shown

# the rule that each class belongs to
CODES: dict[str, str] = {
    "log-of-zero": "BD201",
    "log-of-negative": "BD201",
    "division-by-zero": "BD202",
    "zero-over-zero": "BD202",
    "mean-of-nothing": "BD202",
    "exp-overflow": "BD203",
    "overflow": "BD204",
    "overflow-in-sum": "BD204",
    "overflow-in-cast": "BD204",
    "invalid-power": "BD205",
    "outside-domain": "BD205",
    "inf-minus-inf": "BD206",
    "inf-times-zero": "BD206",
    "inf-over-inf": "BD206",
    "data": "BD207",
    "literal": "BD207",
    "unknown": "BD211",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """One class of birth. `text` is the operation on the numbers ("1/0"), `index` the element of the result.

    `operands` are the numbers at that element, one an operand (None where an operand has no such element); `fresh` is
    False where an operand was non-finite already: the value changed its kind there, it was not born.
    """

    kind: str
    text: str
    index: tuple[int, ...] | None
    operands: tuple[float | complex | None, ...]
    fresh: bool

    @property
    def code(self) -> str:
        return CODES[self.kind]


Judge = Callable[[Sequence[Any], Any, np.dtype], tuple[str, str] | None]


def exp_limit(dtype: np.dtype, base: float = np.e) -> float:
    """The largest x with a finite exp(x): 709.78, 88.72 and 11.09 for float64, float32 and float16."""
    return float(np.log(float(np.finfo(dtype).max)) / np.log(base))


def _divide(v: Sequence[Any], r: Any, dtype: np.dtype) -> tuple[str, str] | None:
    a, b = v
    if np.isinf(a) and np.isinf(b):
        return "inf-over-inf", "inf/inf"
    if b == 0:
        return ("zero-over-zero", "0/0") if a == 0 else ("division-by-zero", f"{shown(a)}/0")
    return "overflow", f"{shown(a)}/{shown(b)} is above the largest {dtype}, {np.finfo(dtype).max:.5g}"


def _log(shift: float, name: str) -> Judge:
    def judge(v: Sequence[Any], r: Any, dtype: np.dtype) -> tuple[str, str]:
        kind = "log-of-zero" if v[0] == shift else "log-of-negative"
        return kind, f"{name}({shown(v[0])})"

    return judge


def _exp(name: str, base: float = np.e) -> Judge:
    def judge(v: Sequence[Any], r: Any, dtype: np.dtype) -> tuple[str, str]:
        limit = exp_limit(dtype, base)
        return "exp-overflow", f"{name}({shown(v[0])}) overflows {dtype}: the limit is {limit:.5g}"

    return judge


def _power(v: Sequence[Any], r: Any, dtype: np.dtype) -> tuple[str, str] | None:
    a, b = v
    text = f"({shown(a)})**{shown(b)}" if a < 0 else f"{shown(a)}**{shown(b)}"
    if a == 0 and b < 0:
        return "division-by-zero", f"{text} is 1/0"
    if np.isnan(r):
        return "invalid-power", f"{text}: a negative number to a fractional power"
    return "overflow", f"{text} is above the largest {dtype}, {np.finfo(dtype).max:.5g}"


def _domain(name: str, says: str) -> Judge:
    def judge(v: Sequence[Any], r: Any, dtype: np.dtype) -> tuple[str, str]:
        return "outside-domain", f"{name}({shown(v[0])}): {says}"

    return judge


def _arithmetic(sign: str) -> Judge:
    def judge(v: Sequence[Any], r: Any, dtype: np.dtype) -> tuple[str, str] | None:
        a, b = v
        if np.isnan(r):
            if sign == "·" and (np.isinf(a) or np.isinf(b)):
                return "inf-times-zero", "inf·0" if np.isinf(a) else "0·inf"
            if np.isinf(a) and np.isinf(b):
                return "inf-minus-inf", "inf - inf"
        return "overflow", f"{shown(a)} {sign} {shown(b)} is above the largest {dtype}, {np.finfo(dtype).max:.5g}"

    return judge


def _unary_overflow(name: str) -> Judge:
    def judge(v: Sequence[Any], r: Any, dtype: np.dtype) -> tuple[str, str]:
        return "overflow", f"{name}({shown(v[0])}) is above the largest {dtype}, {np.finfo(dtype).max:.5g}"

    return judge


def _remainder(v: Sequence[Any], r: Any, dtype: np.dtype) -> tuple[str, str]:
    return ("zero-over-zero", f"{shown(v[0])} mod 0") if v[1] == 0 else ("unknown", f"{shown(v[0])} mod {shown(v[1])}")


ELEMENTWISE: dict[str, Judge] = {
    "divide": _divide,
    "true_divide": _divide,
    "floor_divide": _divide,
    "reciprocal": lambda v, r, d: _divide((1, v[0]), r, d),
    "log": _log(0, "log"),
    "log2": _log(0, "log2"),
    "log10": _log(0, "log10"),
    "log1p": _log(-1, "log1p"),
    "exp": _exp("exp"),
    "expm1": _exp("expm1"),
    "exp2": _exp("exp2", 2.0),
    "sinh": _exp("sinh"),
    "cosh": _exp("cosh"),
    "power": _power,
    "float_power": _power,
    "pow": _power,
    "sqrt": _domain("sqrt", "the root of a negative number"),
    "arcsin": _domain("arcsin", "the argument lies outside [-1, 1]"),
    "arccos": _domain("arccos", "the argument lies outside [-1, 1]"),
    "arctanh": _domain("arctanh", "the argument does not lie inside (-1, 1)"),
    "arccosh": _domain("arccosh", "the argument is below 1"),
    "multiply": _arithmetic("·"),
    "add": _arithmetic("+"),
    "subtract": _arithmetic("-"),
    "square": _unary_overflow("square"),
    "hypot": _arithmetic("hypot"),
    "remainder": _remainder,
    "fmod": _remainder,
    "mod": _remainder,
}
_REDUCTIONS = {
    "sum", "mean", "average", "var", "std", "prod", "cumsum", "cumprod", "norm", "dot", "matmul", "einsum", "inner", "outer",
    "tensordot", "vdot", "convolve", "bincount", "trace", "reduce", "fsum", "kron", "nansum", "det", "logaddexp", "add.reduce",
    "multiply.reduce", "add.at", "accumulate", "reduceat",
}  # fmt: skip
_CASTS = {
    "astype",
    "array",
    "asarray",
    "setitem",
    "float16",
    "float32",
    "float64",
    "full",
    "full_like",
    "fill",
    "copyto",
    "put",
}


def classify(name: str, operands: Sequence[Any], result: Any) -> Cause | None:
    """The class of `result` = operation `name` on `operands`, or None where nothing non-finite was made.

    None also where the result holds only what an operand held already: the value passed through.
    """
    out = as_numbers(result)
    if out is None or out.dtype.kind not in "fc" or np.isfinite(out).all():
        return None
    arrays = [as_numbers(v) for v in operands]
    with np.errstate(all="ignore"):
        if name in ELEMENTWISE:
            found = _elementwise(name, arrays, out)
            if found is not NotImplemented:
                return found
        return _whole(name, arrays, out)


def _elementwise(name: str, arrays: Sequence[np.ndarray | None], out: np.ndarray) -> Any:
    if any(a is None for a in arrays) or out.dtype.kind == "c":
        return NotImplemented
    try:
        wide = [np.broadcast_to(a, out.shape) for a in arrays]  # type: ignore[arg-type]
    except ValueError:
        return NotImplemented
    clean = np.ones(out.shape, bool)
    had_nan = np.zeros(out.shape, bool)
    for a in wide:
        if a.dtype.kind in "fc":
            clean &= np.isfinite(a)
            had_nan |= np.isnan(a)
    index = first_index(~np.isfinite(out) & clean)
    fresh = index is not None
    if index is None:
        index = first_index(np.isnan(out) & ~had_nan)
    if index is None:
        return None
    numbers = tuple(scalar(a[index]) for a in wide)
    judged = ELEMENTWISE[name](numbers, out[index], out.dtype)
    kind, text = judged or ("unknown", name)
    return Cause(kind, text, index, numbers, fresh)


def _whole(name: str, arrays: Sequence[np.ndarray | None], out: np.ndarray) -> Cause | None:
    states = [None if a is None else badness(a) for a in arrays]
    index = first_index(~np.isfinite(out))
    nothing: tuple[float | None, ...] = tuple(None for _ in arrays)
    if any(states):
        index = first_index(np.isnan(out))
        if index is None or "nan" in states:
            return None
        kind = "inf-minus-inf" if name in _REDUCTIONS else "outside-domain"
        kind = "inf-times-zero" if name in ("dot", "matmul", "einsum", "inner", "outer", "prod") else kind
        return Cause(kind, f"{name} over infinities", index, nothing, False)
    if any(a is not None and a.size == 0 for a in arrays):
        return Cause("mean-of-nothing", f"{name} of an empty array is 0/0", index, nothing, True)
    largest = max((float(np.max(np.abs(a))) for a in arrays if a is not None and a.size), default=0.0)
    top = f"the largest {out.dtype}, {np.finfo(out.dtype).max:.5g}"
    if name in _CASTS:
        return Cause("overflow-in-cast", f"{largest:.6g} is above {top}", index, nothing, True)
    if name in _REDUCTIONS and index is not None:
        if np.isinf(out[index]) or name in ("var", "std"):
            text = f"{name} of values up to {largest:.6g} is above {top}"
        else:  # products of opposite sign, each above the largest number
            text = f"{name} of values up to {largest:.6g}: inf - inf inside, above {top}"
        return Cause("overflow-in-sum", text, index, nothing, True)
    return Cause("unknown", f"`{name}` of finite values", index, nothing, True)
