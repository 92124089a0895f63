"""Which functions the forward pass applies to a value: only their derivatives are called derivatives."""

from __future__ import annotations

import numpy as np

from .scene import Scene, is_number

# by the name of a function the names of the operations that apply it; 2 * x and 1 / x are often mere factors
APPLIED = {
    "logarithm": ("log", "log2", "log10", "log1p"),
    "square": ("pow", "power", "square", "mul", "multiply", "sum", "dot", "matmul", "einsum", "norm", "mean", "var", "std"),
}


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


def _is_part(value: object, whole: object) -> bool:
    """Whether a value is another one, or elements of it."""
    a, b = np.asarray(value), np.asarray(whole)
    if b.dtype.kind != "f" or a.size > b.size:
        return False
    return bool(np.array_equal(a.ravel(), b.ravel()) if a.size == b.size else np.isin(a, b).all())
