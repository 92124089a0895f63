"""Which functions the forward pass applies to a value: only their derivatives are called derivatives."""

from __future__ import annotations

import numpy as np

from .scene import Scene, is_number

# by the name of a function the names of the operations that apply it; 2 * x and 1 / x are often mere factors
APPLIED = {
    "logarithm": ("log", "log2", "log10", "log1p"),
    "square": ("pow", "power", "square", "mul", "multiply", "sum", "dot", "matmul", "einsum", "norm", "mean", "var", "std"),
}
_PRODUCTS = ("mul", "multiply")  # by a mask
_KINKED = ("maximum", "max", "where", "clip", "abs", "absolute", *_PRODUCTS)


def is_applied(scene: Scene, function: str, of: str) -> bool:
    """Whether the forward pass applies a function to the value of a variable, or to a part of it."""
    value = scene.evaluate(of)
    if not is_number(value):
        return True  # not to be told
    replay = scene.trial.replay
    for node in replay.tape.nodes:
        if node.kind == "op" and node.name in APPLIED[function]:
            if any(_is_part(value, replay.base(i)) for i in node.inputs()):
                return True
    return False


def kinks(scene: Scene) -> list[np.ndarray]:
    """What the forward pass puts into a function with a kink, and what that makes: a mask is the derivative there."""
    replay, loss = scene.trial.replay, scene.trial.check.training.loss
    found: list[np.ndarray] = []
    for i in sorted(loss.nodes if loss is not None else ()):
        node = replay.tape.nodes[i]
        if node.kind == "op" and node.name in _KINKED:
            values = [np.asarray(replay.base(j)) for j in (i, *node.inputs())]
            by_mask = any(v.dtype == bool for v in values)
            if (by_mask or node.name not in _PRODUCTS) and any(v.shape == values[0].shape for v in values[1:]):
                found += values
    return found


def _is_part(value: object, whole: object) -> bool:
    """Whether a value is another one, or elements of it."""
    a, b = np.asarray(value), np.asarray(whole)
    if b.dtype.kind != "f" or a.size > b.size:
        return False
    return bool(np.array_equal(a.ravel(), b.ravel()) if a.size == b.size else np.isin(a, b).all())
