"""The table of mistakes: what a wrong gradient is made of when it is made of the true one.

Each mistake is a linear map of the true gradient. `make` applies it, to inject a fault; `pull` is its adjoint, which turns
a direction u into the one along which the true slope is what the wrong gradient predicts: <make(g), u> = <g, pull(u)>. So an
explanation needs no gradient of the truth, only slopes, and a slope along a fresh direction confirms or refutes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..errors import BackpropDoctorError
from ..finding import Explanation, Finding
from ..model import Model, Tensor
from ..numeric.derivative import derivative

Map = Callable[[np.ndarray], np.ndarray]
Slope = Callable[[np.ndarray], float]
_SAME = 1e-6  # of the sizes of both sides: central differences of smooth losses do better by far
_FRESH = 2  # directions that an explanation has to pass beside the one that it was found with


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: its name, what it says of the gradient, the wrong gradient that it makes, and the adjoint of that."""

    name: str
    words: str
    make: Map
    pull: Map


def _axis(name: str, words: str, function: Map, pull: Map | None = None) -> Mistake:
    return Mistake(name, words, function, pull or function)


def _factor(name: str, words: str, factor: float) -> Mistake:
    return Mistake(name, words, lambda g: factor * g, lambda u: factor * u)


def _mean(axis: int, g: np.ndarray) -> np.ndarray:
    return np.broadcast_to(g.mean(axis=axis, keepdims=True), g.shape)


def _sum(axis: int, g: np.ndarray) -> np.ndarray:
    return np.broadcast_to(g.sum(axis=axis, keepdims=True), g.shape)


def _without(index: object, g: np.ndarray) -> np.ndarray:
    made = np.array(g, dtype=float)
    made[index] = 0  # type: ignore[call-overload]
    return made


def mistakes(shape: tuple[int, ...], counts: Iterable[int] = ()) -> list[Mistake]:
    """The table for a tensor of a shape; `counts` are numbers of samples, classes and the like that a factor may be."""
    found = [
        _factor("sign", "it has the wrong sign", -1.0),
        _factor("doubled", "it is twice the gradient", 2.0),
        _factor("halved", "it is half of the gradient", 0.5),
        _factor("zero", "it is zero", 0.0),
    ]
    for n in sorted({*counts, *shape} - {0, 1, 2}):
        found.append(_factor(f"divided by {n}", f"it is divided by {n} once too often", 1.0 / n))
        found.append(_factor(f"times {n}", f"a division by {n} is missing", float(n)))
        found.append(_factor(f"divided by {n} twice", f"it is divided by {n} twice too often", 1.0 / n**2))
    rank = len(shape)
    if rank == 2 and shape[0] == shape[1] > 1:
        found.append(_axis("transposed", "it is the transpose of the gradient", np.transpose))
    if rank == 2 and shape[0] != shape[1] and min(shape) > 1:
        found.append(
            Mistake(
                "reshaped transpose",
                "its elements are those of the transpose, in the order of the gradient's shape",
                lambda g: g.T.reshape(shape),
                lambda u: u.reshape(shape[::-1]).T,
            )
        )
    for axis in range(rank):
        if shape[axis] > 1:
            found += _along(axis, ("row", "column")[axis] if rank == 2 else f"index of axis {axis}")
    if rank == 2 and min(shape) > 1:
        found.append(_axis("upper part", "only its part above the diagonal is kept", np.triu))
        found.append(_axis("lower part", "only its part below the diagonal is kept", np.tril))
    if rank == 2 and shape[0] == shape[1] > 1:
        found.append(_axis("diagonal", "only its diagonal is kept", lambda g: np.diag(np.diag(g))))
    return found


def _along(axis: int, one: str) -> list[Mistake]:
    return [
        _axis(f"mean over axis {axis}", f"it is the mean over axis {axis}, in every {one}", lambda g: _mean(axis, g)),
        _axis(f"sum over axis {axis}", f"it is the sum over axis {axis}, in every {one}", lambda g: _sum(axis, g)),
        _axis(f"reversed along axis {axis}", f"its order along axis {axis} is reversed", lambda g: np.flip(g, axis)),
        Mistake(
            f"shifted up along axis {axis}",
            f"every {one} is that of the one before it",
            lambda g: np.roll(g, 1, axis),
            lambda u: np.roll(u, -1, axis),
        ),
        Mistake(
            f"shifted down along axis {axis}",
            f"every {one} is that of the one after it",
            lambda g: np.roll(g, -1, axis),
            lambda u: np.roll(u, 1, axis),
        ),
        _axis(
            f"first of axis {axis} missing",
            f"its first {one} is missing",
            lambda g: _without((slice(None),) * axis + (0,), g),
        ),
        _axis(
            f"last of axis {axis} missing",
            f"its last {one} is missing",
            lambda g: _without((slice(None),) * axis + (-1,), g),
        ),
    ]


def explained(
    gradient: np.ndarray, slope: Slope, *, value: np.ndarray | None = None, counts: Iterable[int] = (), seed: int = 0
) -> list[str]:
    """What a claimed gradient is of the true one, in words: each passed two directions that it was not found with.

    `slope(u)` is the true derivative along u, of the gradient's shape. With the tensor's `value` a missing or surplus
    multiple of it (weight decay) is looked for too. [] where nothing fits, or more than three things do.
    """
    g = np.asarray(gradient, dtype=float)
    rng = np.random.default_rng(seed)
    directions = [rng.standard_normal(g.shape) for _ in range(1 + _FRESH)]
    known: dict[bytes, float] = {}

    def true(u: np.ndarray) -> float:
        key = np.ascontiguousarray(u).tobytes()
        if key not in known:
            known[key] = slope(u)
        return known[key]

    truths = [true(u) for u in directions]
    size = max(max(abs(t) for t in truths), max(abs(float(np.sum(g * u))) for u in directions))
    if all(_close(float(np.sum(g * u)), t, size) for u, t in zip(directions, truths, strict=True)):
        return []
    found = []
    for mistake in mistakes(g.shape, counts):
        if all(_close(float(np.sum(g * u)), true(np.asarray(mistake.pull(u))), size) for u in directions):
            found.append(mistake.words)
    if not found and value is not None:
        found += _with_value(g, np.asarray(value, dtype=float), directions, truths, size)
    return found if len(found) <= 3 else []


def _with_value(
    g: np.ndarray, value: np.ndarray, directions: Sequence[np.ndarray], truths: Sequence[float], size: float
) -> list[str]:
    """The gradient without a multiple of the tensor itself, the multiple taken from the first direction alone."""
    along = [float(np.sum(value * u)) for u in directions]
    if abs(along[0]) < 1e-12:
        return []
    c = (truths[0] - float(np.sum(g * directions[0]))) / along[0]
    fits = all(_close(float(np.sum(g * u)) + c * a, t, size) for u, a, t in zip(directions, along, truths, strict=True))
    if not fits or abs(c) * max(map(abs, along)) < 10 * _SAME * size:
        return []
    return [f"a term {c:.6g} times the tensor itself is {'missing' if c > 0 else 'too much'} (weight decay)"]


def _close(a: float, b: float, size: float) -> bool:
    return abs(a - b) <= _SAME * size


def explain_findings(model: Model, findings: Sequence[Finding], *, seed: int = 0) -> list[Finding]:
    """The findings of a check of functions, the unexplained ones (BD101) with what their tensor is of the true gradient."""
    tensors = {t.name: t for t in model.tensors}
    return [_explained(model, tensors, f, seed) if f.code == "BD101" else f for f in findings]


def _explained(model: Model, tensors: dict[str, Tensor], finding: Finding, seed: int) -> Finding:
    tensor = tensors.get(finding.tensors[0]) if len(finding.tensors) == 1 else None
    if tensor is None or not tensor.gradient.any() or tensor.gradient.shape != tensor.value.shape:
        return finding
    try:
        texts = explained(tensor.gradient, _slope(model, tensor), value=tensor.value, counts=_counts(model), seed=seed)
    except (BackpropDoctorError, ArithmeticError, ValueError, TypeError):
        return finding
    if not texts:
        return finding
    status = "verified" if len(texts) == 1 else "consistent"
    explanations = tuple(Explanation(t, status) for t in texts)  # type: ignore[arg-type]
    evidence = {**finding.evidence, "mistake": texts[0]}
    return replace(finding, explanations=explanations, help=finding.help, evidence=evidence)


def _slope(model: Model, tensor: Tensor) -> Slope:
    def along(u: np.ndarray) -> float:
        if not u.any():
            return 0.0
        found = derivative(lambda x: model.objective({tensor.key: x}), tensor.value, u, allow_complex=model.allow_complex)
        return found.value

    return along


def _counts(model: Model) -> set[int]:
    return {n for t in model.tensors for n in t.value.shape if n > 2}
