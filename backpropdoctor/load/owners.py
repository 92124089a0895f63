"""Objects that hold parameters: copies to work on, random states held still, and what is a parameter in them."""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..tree import Leaf, Parts, Path, as_array, attributes, flatten, get, put, replaced
from . import conventions


def clone(owner: Any) -> Any:
    """A copy of an object that shares no array with it."""
    try:
        return copy.deepcopy(owner)
    except Exception:  # a lock, an open file, a generator among its attributes
        return replaced(owner, {})


def fill(owner: Any, values: Mapping[Path, Any], leaves: list[Leaf]) -> None:
    """Put values into all places of the leaves, in a clone."""
    for leaf in leaves:
        if leaf.paths[0] in values:
            for path in leaf.paths:
                put(owner, path, values[leaf.paths[0]])


@contextlib.contextmanager
def still(state: tuple[Any, Any]) -> Iterator[None]:
    """The global random generators start from `state`, and are afterwards where they were."""
    before = random_state()
    set_random_state(state)
    try:
        yield
    finally:
        set_random_state(before)


def random_state() -> tuple[Any, Any]:
    """The state of the two global generators that user code draws from."""
    return np.random.get_state(), random.getstate()


def set_random_state(state: tuple[Any, Any]) -> None:
    """Put the global generators into a state."""
    np.random.set_state(state[0])
    random.setstate(state[1])


def leaves_in(owner: Any) -> list[Leaf]:
    """The floating-point tensors of an object that may be parameters: those not named as gradients."""
    found = []
    for leaf in flatten(owner, "self"):
        array = _array(leaf.value)
        named = any(conventions.is_gradient_name(p) for p in leaf.parts if isinstance(p, str))
        if array is not None and array.dtype.kind == "f" and not named:
            found.append(leaf)
    return found


def _array(value: Any) -> np.ndarray | None:
    try:
        return as_array(value)
    except (TypeError, ValueError):
        return None


def clear_gradients(owner: Any) -> dict[Path, Any]:
    """Set everything named as a gradient to zero, in a clone, and return it: what is added up starts from nothing."""
    cleared: dict[Path, Any] = {}
    for leaf in flatten(owner, "self"):
        named = conventions.is_gradient_name(tuple(p for p in leaf.parts if isinstance(p, str)))
        if named and isinstance(leaf.value, np.ndarray) and leaf.value.dtype.kind == "f":
            fresh = np.zeros_like(leaf.value)
            for path in leaf.paths:
                put(owner, path, fresh)
                cleared[path] = fresh
    return cleared


def gradient_in(owner: Any, leaf: Leaf, parts: Parts, cleared: Mapping[Path, Any]) -> tuple[Any, str] | None:
    """The gradient of a leaf (called `parts`) among an object's attributes, with its name; None for none.

    What was cleared before the run and is still the same zeros is no gradient: nobody wrote it.
    """
    best: tuple[int, Any, str] | None = None
    for candidate in flatten(owner, "self"):
        score = conventions.is_gradient_of(candidate.parts, parts)
        idle = cleared.get(candidate.paths[0]) is candidate.value and not np.any(candidate.value)
        if not score or idle:
            continue
        score += 3 * (np.shape(candidate.value) == np.shape(leaf.value))
        if best is None or score > best[0]:
            best = (score, candidate.value, candidate.name)
    return None if best is None else (best[1], best[2])


def rate_in(owner: Any) -> float | None:
    """The learning rate an object holds, by its name."""
    for name, value in attributes(owner):
        if name.lower().strip("_") in conventions.LEARNING_RATES and isinstance(value, (int, float)) and value:
            return float(value)
    return None


def is_parameter_name(leaf: Leaf) -> bool:
    """True for what people call weights and biases: `W`, `b1`, `weights`, `gamma`, `Wx`."""
    word = next((str(p) for p in reversed(leaf.parts) if isinstance(p, str)), "").strip("_").lower()
    stem = word.rstrip("0123456789_")
    exact = {
        "w",
        "b",
        "u",
        "v",
        "weight",
        "weights",
        "bias",
        "biases",
        "gamma",
        "beta",
        "theta",
        "kernel",
        "kernels",
        "filters",
    }
    return stem in exact or (len(stem) <= 3 and stem[:1] in ("w", "b", "u") and word not in ("bn",))


def unchanged(owner: Any, leaf: Leaf, value: Any) -> bool:
    """Whether the very same array, with the same bits as `value`, still stands in the leaf's place."""
    try:
        now = get(owner, leaf.paths[0])
    except (KeyError, IndexError, AttributeError):
        return False
    a, b = np.asarray(now), np.asarray(value)
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()
