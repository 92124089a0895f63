"""What a cotangent of an operation's result makes of one of its inputs: J'g, from the operation alone.

The operation is run with a complex step in the input. How it spreads over the elements is guessed, and each guess is held
against the operation itself along a random direction u: <g, J u> = <J'g, u>.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import ReplayError
from .replay import Replay
from .tape import Node, Ref

_STEP = 1e-30
_CLOSE = 1e-9  # how well a guess must fit; what fits by chance is off by a factor
_FEW = 12  # elements of an input that are moved one by one


class NotPulled(Exception):
    """The operation spreads its input in a way that is not known here."""


def pullback(replay: Replay, node: int, wrt: int, g: Any) -> tuple[Any, int]:
    """J'g of the canonical `node` for its input `wrt`, and how often the operation was run.

    Raises NotPulled, or what the operation raises on complex numbers.
    """
    run = _Run(replay, node, wrt)
    whole = run.along(1.0)
    if not isinstance(g, np.ndarray) and np.ndim(g) == 0 and not g:
        return 0.0, run.count
    if run.size == 1:
        part = whole * g
        return (part if np.ndim(part) == 0 and run.shape == () else np.reshape(np.sum(part), run.shape)), run.count
    u = _drawn(run)
    moved = run.along(u)
    g = np.broadcast_to(g, np.shape(moved))
    truth = float(np.sum(g * moved))
    room = _CLOSE * float(np.sum(np.abs(g * moved)))
    for part in _guesses(run, whole, u, moved, g):
        if part.shape == run.shape and abs(float(np.sum(part * u)) - truth) <= room + _CLOSE * float(np.sum(np.abs(part * u))):
            return part, run.count
    raise NotPulled


def add(one: Any, other: Any) -> Any:
    """The sum of two cotangents of a value."""
    if np.ndim(one) == 0 and not one:
        return other
    return one if np.ndim(other) == 0 and not other else one + other


class _Run:
    """An operation as a function of one of its inputs."""

    def __init__(self, replay: Replay, node: int, wrt: int) -> None:
        self.replay, self.node, self.wrt = replay, node, wrt
        self.value = replay.base(wrt)
        self.shape, self.size = np.shape(self.value), int(np.size(self.value))
        self.count = 0

    @property
    def recorded(self) -> Node:
        return self.replay.tape.nodes[self.node]

    def on(self, seen: dict[int, Any]) -> Any:
        self.count += 1
        with np.errstate(all="ignore"):
            return self.replay.run(self.node, seen)

    def along(self, u: Any) -> Any:
        """The derivative of the result along a direction of the input."""
        made = self.on({self.wrt: self.value + 1j * _STEP * u})
        slope = made.imag / _STEP if isinstance(made, complex) else np.imag(np.asarray(made)) / _STEP
        if not np.all(np.isfinite(slope)):
            raise NotPulled
        return slope


def _drawn(run: _Run) -> np.ndarray:
    return np.random.default_rng(zlib.crc32(f"{run.node}/{run.wrt}".encode())).standard_normal(run.shape)


def _guesses(run: _Run, whole: Any, u: np.ndarray, moved: Any, g: np.ndarray) -> Iterator[np.ndarray]:
    """The ways in which an operation may spread its input, the likeliest first."""
    if _spreads(run.shape, np.shape(moved)) and np.all(np.abs(moved - whole * u) <= _CLOSE * np.abs(whole * u)):
        yield unbroadcast(g * whole, run.shape)  # element by element
        return
    rule = _RULES.get(_name(run))
    found = rule(run, g) if rule is not None else None
    if found is not None:
        yield found
    gathered = _gathered(run, u, moved, g)
    if gathered is not None:
        yield gathered
    if run.size <= _FEW:
        columns = [float(np.sum(g * run.along(_unit(run, k)))) for k in range(run.size)]
        yield np.reshape(columns, run.shape)


def _spreads(small: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(small, shape) == shape
    except ValueError:
        return False


def unbroadcast(g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The sum over the axes along which a value of this shape was spread."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape)))) if g.ndim > len(shape) else g
    axes = tuple(k for k, n in enumerate(shape) if n == 1 and g.shape[k] != 1)
    return np.asarray(g.sum(axis=axes, keepdims=True) if axes else g)


def _unit(run: _Run, k: int) -> np.ndarray:
    flat = np.zeros(run.size)
    flat[k] = 1.0
    return flat.reshape(run.shape)


def _gathered(run: _Run, u: np.ndarray, moved: Any, g: np.ndarray) -> np.ndarray | None:
    """For operations that only pick elements (an index, a view, a transpose): numbered elements tell where each came from."""
    others = [i for i in run.replay.inputs(run.node) if i != run.wrt]
    seen = {i: v * 0.0 for i in others if np.asarray(v := run.replay.base(i)).dtype.kind == "f"}
    seen[run.wrt] = np.arange(1.0, run.size + 1).reshape(run.shape)
    try:
        made = np.asarray(run.on(seen), dtype=float)
    except (ReplayError, TypeError, ValueError):
        return None
    if made.shape != np.shape(moved) or not np.all(np.abs(made) <= run.size) or np.any(made != np.rint(made)):
        return None
    picked = np.abs(made).astype(int)
    expected = np.where(picked > 0, np.sign(made) * u.ravel()[picked - 1], 0.0)
    if not np.all(np.abs(expected - moved) <= _CLOSE * np.abs(expected)):
        return None
    sums = np.bincount(picked.ravel(), weights=(np.sign(made) * g).ravel(), minlength=run.size + 1)
    return sums[1:].reshape(run.shape)


def _operands(run: _Run) -> list[Any]:
    canonical = run.replay.canonical
    return [
        (canonical[a.index] == run.wrt, run.replay.base(a.index)) if isinstance(a, Ref) else (False, a)
        for a in run.recorded.args
    ]


def _product(run: _Run, g: np.ndarray) -> np.ndarray | None:
    """Of a matrix product: g times the other operand, transposed."""
    (first, a), (second, b) = _operands(run)[:2]
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    found = np.zeros(run.shape)
    if first:
        found = found + (np.multiply.outer(g, b) if b.ndim < 2 else _times(g, np.swapaxes(b, -1, -2), a.shape, b.ndim))
    if second:
        left = np.multiply.outer(a, g) if a.ndim < 2 else None
        found = found + (left if left is not None else _transposed_times(a, g, b.shape))
    return found


def _times(g: np.ndarray, b: np.ndarray, shape: tuple[int, ...], ndim: int) -> np.ndarray:
    if len(shape) == 1:
        return np.matmul(b.swapaxes(-1, -2), g[..., None])[..., 0] if ndim == 2 else unbroadcast(g @ b, shape)
    return unbroadcast(np.matmul(g, b), shape)


def _transposed_times(a: np.ndarray, g: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if len(shape) == 1:
        return np.tensordot(a, g, axes=(range(g.ndim), range(g.ndim)))
    if a.ndim > 2 and len(shape) == 2:
        return a.reshape(-1, a.shape[-1]).T @ g.reshape(-1, g.shape[-1])
    return unbroadcast(np.matmul(np.swapaxes(a, -1, -2), g), shape)


def _outer(run: _Run, g: np.ndarray) -> np.ndarray | None:
    (first, a), (second, b) = _operands(run)[:2]
    found = np.zeros(run.size)
    if first:
        found = found + g @ np.ravel(b)
    if second:
        found = found + np.ravel(a) @ g
    return found.reshape(run.shape)


def _name(run: _Run) -> str:
    return run.recorded.name


def _axis(run: _Run) -> Any:
    axis = run.recorded.kwargs.get("axis", run.recorded.args[1] if len(run.recorded.args) > 1 else None)
    return run.replay.base(axis.index) if isinstance(axis, Ref) else axis


def _reduced(run: _Run, g: np.ndarray, name: str = "") -> np.ndarray | None:
    """Of a sum, a mean or an extremum over axes: g spread over them again, times what each element counts."""
    axis, name = _axis(run), name or _name(run)
    if axis is not None and not isinstance(axis, (int, tuple, np.integer)):
        return None
    x = np.asarray(run.value)
    value = np.asarray(run.replay.base(run.node))
    if axis is None:
        g, value = np.reshape(np.sum(g), (1,) * x.ndim), np.reshape(value, (1,) * x.ndim)
    elif value.ndim < x.ndim:
        g, value = np.expand_dims(g, axis), np.expand_dims(value, axis)
    if name in ("max", "amax", "min", "amin"):
        return np.asarray(np.where(x == value, g, 0.0))
    count = x.size // max(value.size, 1) if name == "mean" else 1
    return np.broadcast_to(g / count, x.shape)


def _spread_of(run: _Run, g: np.ndarray) -> np.ndarray | None:
    """Of a variance or a standard deviation: each element's distance from the mean."""
    mean = _reduced(run, g, "mean")
    if mean is None:
        return None
    x = np.asarray(run.value, dtype=float)
    axis = _axis(run)
    off = x - x.mean(axis=axis, keepdims=True)
    spread = np.sqrt(np.mean(off**2, axis=axis, keepdims=True)) if _name(run) == "std" else 0.5
    ddof = run.recorded.kwargs.get("ddof", 0)
    count = x.size // max(np.size(spread if np.ndim(spread) else np.mean(off, axis=axis)), 1)
    factor = count / (count - ddof)
    return mean * off / spread * (np.sqrt(factor) if _name(run) == "std" else factor)


def _einsum(run: _Run, g: np.ndarray) -> np.ndarray | None:
    """Of an einsum of two operands: that of the result with the other one."""
    spec, *operands = run.recorded.args
    if not isinstance(spec, str) or "->" not in spec or "." in spec or len(operands) != 2:
        return None
    left, result = spec.replace(" ", "").split("->")
    first, second = left.split(",")
    return _contracted(run, g, _operands(run)[1:], (first, second), result)


def _tensordot(run: _Run, g: np.ndarray) -> np.ndarray | None:
    """Of a contraction over named axes: the same as an einsum."""
    operands = _operands(run)
    axes = run.recorded.kwargs.get("axes", run.recorded.args[2] if len(operands) > 2 else 2)
    (_, a), (_, b) = operands[:2]
    if isinstance(axes, int):
        axes = (range(np.ndim(a) - axes, np.ndim(a)), range(axes))
    ours, theirs = ([k] if isinstance(k, int) else list(k) for k in axes)
    first = list("abcdefgh"[: np.ndim(a)])
    second = list("ijklmnop"[: np.ndim(b)])
    rest = [n for k, n in enumerate(second) if k not in [t % np.ndim(b) for t in theirs]]
    for one, other in zip(ours, theirs, strict=True):
        second[other] = first[one]
    result = [n for n in first if n not in second] + rest
    return _contracted(run, g, operands[:2], ("".join(first), "".join(second)), "".join(result))


def _contracted(
    run: _Run, g: np.ndarray, operands: Sequence[tuple[bool, Any]], names: tuple[str, str], result: str
) -> np.ndarray:
    found = np.zeros(run.shape)
    for k, (own, _) in enumerate(operands):
        if own:
            found = found + np.einsum(f"{result},{names[1 - k]}->{names[k]}", g, operands[1 - k][1])
    return found


_RULES: dict[str, Callable[[_Run, np.ndarray], np.ndarray | None]] = {
    **dict.fromkeys(("dot", "matmul"), _product),
    **dict.fromkeys(("sum", "mean", "max", "min", "amax", "amin"), _reduced),
    **dict.fromkeys(("var", "std"), _spread_of),
    "outer": _outer,
    "einsum": _einsum,
    "tensordot": _tensordot,
}
