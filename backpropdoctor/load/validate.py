"""What parameters must be like before anything is measured: floating point, finite, not empty. One message a fault."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InputError
from ..finding import Checked, Finding, make_finding
from ..tree import Foreign, Leaf, as_array, flatten, is_number

FLOATS = "fc"


def leaves_of(tree: Any, what: str = "params") -> list[Leaf]:
    """The leaves of what the user passed; raises InputError where that is nothing a tensor could stand in."""
    if tree is None or isinstance(tree, (str, bytes, bool, type)) or callable(tree) and not hasattr(tree, "__dict__"):
        raise InputError(
            f"`{what}` is {_a(tree)}, not parameters",
            help="pass a dict, list, tuple, dataclass or object that holds the arrays, or one array",
        )
    try:
        return flatten(tree, what)
    except Foreign as error:
        name, kind = error.args
        raise InputError(
            f"`{name}` is a {kind.__module__}.{kind.__name__}, not a NumPy array",
            help="pass NumPy arrays: `.numpy()` or `np.asarray(...)` makes one",
        ) from None


def _a(value: Any) -> str:
    if value is None:
        return "None"
    kind = value.__name__ if isinstance(value, type) else type(value).__name__
    return f"the class `{kind}`" if isinstance(value, type) else f"a {kind}"


def fault_of(leaf: Leaf, kind: str = "parameter") -> Finding | None:
    """What keeps this tensor from being checked, as a finding; None if nothing does."""
    try:
        array = as_array(leaf.value)
    except (TypeError, ValueError):
        array = np.empty(0, dtype=object)
    if is_number(leaf.value) and isinstance(leaf.value, int):
        array = array.astype(float)
    if array.dtype.kind not in FLOATS:
        return _not_float(leaf.name, array, kind)
    if array.dtype.kind == "c":
        return make_finding(
            "BD407",
            f"`{leaf.name}` holds complex numbers ({array.dtype}), which have no one direction of steepest descent",
            tensors=(leaf.name,),
            help="check the real and the imaginary part as two parameters",
        )
    if array.size == 0:
        return make_finding(
            "BD412",
            f"`{leaf.name}` is empty (shape {array.shape}): it has no gradient to check",
            tensors=(leaf.name,),
            help="a size is 0 where the array was made",
        )
    if not np.isfinite(array).all():
        return _not_finite(leaf.name, array)
    return None


def _not_float(name: str, array: np.ndarray, kind: str) -> Finding:
    if array.dtype.kind == "O":
        what, advice = "Python objects (dtype object)", "its rows may differ in length; build it with `dtype=float`"
    elif array.dtype.kind in "iub":
        what = f"integers ({array.dtype})" if array.dtype.kind != "b" else "truth values (bool)"
        advice = f"make it floating point: `{name} = {name}.astype(float)`"
    else:
        what, advice = f"no numbers (dtype {array.dtype})", "a parameter holds floating-point numbers"
    consequence = "" if array.dtype.kind == "O" else ", so no small step of it exists"
    return make_finding(
        "BD407",
        f"{kind} `{name}` holds {what}{consequence}",
        tensors=(name,),
        help=advice,
        evidence={"dtype": str(array.dtype)},
    )


def _not_finite(name: str, array: np.ndarray) -> Finding:
    bad = ~np.isfinite(array)
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    kinds = [word for word, test in (("NaN", np.isnan), ("infinite", np.isinf)) if test(array).any()]
    at = f", first at {list(first)}" if first else ""
    return make_finding(
        "BD408",
        f"`{name}` holds {' and '.join(kinds)} values ({int(bad.sum())} of {array.size}{at})",
        tensors=(name,),
        help="check at the values the parameters had before they went wrong, such as the initial ones",
        evidence={"count": int(bad.sum()), "first": list(first)},
    )


def unchecked(leaf: Leaf, reason: str, kind: str = "parameter") -> Checked:
    """The row of a tensor that could not be checked."""
    return Checked(tensor=leaf.name, verdict="undecided", shape=np.shape(leaf.value), reason=reason, kind=kind)  # type: ignore[arg-type]


def summary(array: Any) -> str:
    """The kind of thing a user's function returned, in words: `an array of shape (3, 2)`, `a dict`, `None`."""
    if isinstance(array, np.ndarray):
        return f"an array of shape {array.shape}"
    if isinstance(array, (list, tuple, dict)):
        return f"a {type(array).__name__} of {len(array)}"
    return _a(array)
