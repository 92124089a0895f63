"""Nested parameters as named leaves, and back: whatever people hold parameters in.

Containers: mappings, lists, tuples, named tuples, dataclasses, objects with attributes, nested. Leaves: arrays, NumPy
scalars, Python numbers, and lists of numbers (a list such as `[[0.1, 0.2], [0.3, 0.4]]` is one tensor). What is none of
these (strings, functions, None, modules) is carried along untouched.
"""

from __future__ import annotations

import copy
import dataclasses
import types
from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

MAX_DEPTH = 32  # deeper nesting than any code has; ends walks through linked objects

Parts = tuple[Hashable, ...]


class Step(NamedTuple):
    """One step into a structure: `[key]` of a mapping, `[key]` of a sequence, `.key` of an object."""

    how: Literal["key", "index", "attribute"]
    key: Hashable


Path = tuple[Step, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A tensor in a structure.

    `name` is what a person writes: `W1`, `enc['W']`, `params[0]`. `paths` are the places that hold this very array (the
    first one names it). `declared` is False for what merely is an attribute of an object, such as a cache.
    """

    name: str
    paths: tuple[Path, ...]
    value: Any
    declared: bool = True

    @property
    def parts(self) -> Parts:
        """The name taken apart: ("enc", "W")."""
        return tuple(step.key for step in self.paths[0])


class Foreign(TypeError):
    """A value that looks like a tensor and is of no type this package reads."""


def is_number(value: Any) -> bool:
    """A Python or NumPy number that is not a truth value."""
    return isinstance(value, (int, float, complex, np.number)) and not isinstance(value, bool)


def is_number_list(value: Any) -> bool:
    """A non-empty list of numbers, or of equally long lists of numbers: one tensor written as a list."""
    if not isinstance(value, list) or not value:
        return False
    if all(is_number(v) for v in value):
        return True
    if not all(is_number_list(v) for v in value):
        return False
    return len({_list_shape(v) for v in value}) == 1


def _list_shape(value: Any) -> tuple[int, ...]:
    return (len(value), *_list_shape(value[0])) if isinstance(value, list) else ()


def is_leaf(value: Any) -> bool:
    """True for arrays, numbers and lists of numbers."""
    return isinstance(value, np.ndarray) or is_number(value) or is_number_list(value)


def is_foreign(value: Any) -> bool:
    """True for another package's tensor: it has a shape and a dtype but is no NumPy array."""
    if isinstance(value, (np.ndarray, np.generic, type)) or is_number(value):
        return False
    return hasattr(value, "shape") and hasattr(value, "dtype")


def children(value: Any) -> list[tuple[Step, Any]]:
    """The steps one level down, with what is there; empty for anything that is no container."""
    if isinstance(value, Mapping):
        return [(Step("key", k), v) for k, v in value.items()]
    if isinstance(value, (list, tuple)):
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return [(Step("attribute", f), v) for f, v in zip(value._fields, value, strict=True)]
        return [(Step("index", i), v) for i, v in enumerate(value)]
    return [(Step("attribute", k), v) for k, v in attributes(value)]


def attributes(value: Any) -> list[tuple[str, Any]]:
    """The data attributes of an object of a class somebody wrote, in order of definition; empty for all else."""
    if not is_object(value):
        return []
    found = dict(getattr(value, "__dict__", {}))
    for cls in reversed(type(value).__mro__):
        slots = cls.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            if slot not in ("__dict__", "__weakref__") and hasattr(value, slot):
                found.setdefault(slot, getattr(value, slot))
    return list(found.items())


_OPAQUE = (
    str,
    bytes,
    bytearray,
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.GeneratorType,
    np.ndarray,
    np.generic,
    np.dtype,
    np.random.Generator,
    np.random.RandomState,
)


def is_object(value: Any) -> bool:
    """True for an instance that may hold parameters in its attributes (or is a dataclass)."""
    if isinstance(value, (*_OPAQUE, tuple, list, dict)) or value is None or is_foreign(value):
        return False
    return hasattr(value, "__dict__") or hasattr(type(value), "__slots__")


def is_declared_container(value: Any) -> bool:
    """True where everything inside is meant: mappings, sequences, dataclasses; not for objects with attributes."""
    return isinstance(value, (Mapping, list, tuple)) or dataclasses.is_dataclass(value)


def flatten(tree: Any, root: str = "params") -> list[Leaf]:
    """The leaves of a structure in order, an array that stands in several places once.

    `root` names a structure that is itself a leaf, and sequences at the top: `params[0]`.
    """
    found: list[tuple[Path, Any, bool]] = list(_walk(tree, (), True, set()))
    places: dict[int, list[Path]] = {}
    for path, value, _ in found:
        if isinstance(value, np.ndarray):
            places.setdefault(id(value), []).append(path)
    leaves, done = [], set()
    for path, value, declared in found:
        if id(value) in done and isinstance(value, np.ndarray):
            continue
        done.add(id(value))
        paths = tuple(places[id(value)]) if isinstance(value, np.ndarray) else (path,)
        leaves.append(Leaf(path_name(path, root), paths, value, declared))
    return leaves


def _walk(value: Any, path: Path, declared: bool, above: set[int]) -> Iterator[tuple[Path, Any, bool]]:
    if is_leaf(value):
        yield path, value, declared
        return
    if is_foreign(value):
        raise Foreign(path_name(path, "params"), type(value))
    if id(value) in above or len(path) > MAX_DEPTH:
        return
    declared = declared and is_declared_container(value)
    above = above | {id(value)}
    for step, child in children(value):
        yield from _walk(child, (*path, step), declared, above)


def path_name(path: Path, root: str = "params") -> str:
    """How a person writes a place: `W1`, `enc['W']`, `params[0]`, `layers[1].W`, `params` for the root itself."""
    if not path:
        return root
    first, rest = path[0], path[1:]
    bare = first.how == "attribute" or (isinstance(first.key, str) and first.key.isidentifier())
    name = str(first.key) if bare else f"{root}[{first.key!r}]"
    for step in rest:
        name += f".{step.key}" if step.how == "attribute" else f"[{step.key!r}]"
    return name


def get(tree: Any, path: Path) -> Any:
    """What stands at a path; raises KeyError, IndexError or AttributeError as the containers do."""
    for step in path:
        tree = getattr(tree, str(step.key)) if step.how == "attribute" else tree[step.key]
    return tree


def replaced(tree: Any, values: Mapping[Path, Any]) -> Any:
    """A structure of the same containers, every one new, with the values at the given paths replaced.

    Other arrays are copied, so that nobody who is given the result can change the original.
    """
    return _replaced(tree, (), values, {})


def _replaced(tree: Any, path: Path, values: Mapping[Path, Any], memo: dict[int, Any]) -> Any:
    if path in values:
        return values[path]
    if isinstance(tree, np.ndarray):
        return tree.copy()
    if is_leaf(tree):
        return copy.deepcopy(tree)
    if isinstance(tree, dict):
        fresh = copy.copy(tree)
        for k, v in tree.items():
            fresh[k] = _replaced(v, (*path, Step("key", k)), values, memo)
        return fresh
    if isinstance(tree, Mapping):
        return {k: _replaced(v, (*path, Step("key", k)), values, memo) for k, v in tree.items()}
    if isinstance(tree, (list, tuple)):
        items = [_replaced(v, (*path, step), values, memo) for step, v in children(tree)]
        if isinstance(tree, list):
            same = copy.copy(tree)
            same[:] = items
            return same
        return type(tree)(*items) if hasattr(tree, "_fields") else tuple(items)
    return _replaced_object(tree, path, values, memo)


def _replaced_object(tree: Any, path: Path, values: Mapping[Path, Any], memo: dict[int, Any]) -> Any:
    if not attributes(tree) or len(path) > MAX_DEPTH:
        return tree
    if id(tree) in memo:
        return memo[id(tree)]
    fresh = memo[id(tree)] = copy.copy(tree)
    for name, child in attributes(tree):
        object.__setattr__(fresh, name, _replaced(child, (*path, Step("attribute", name)), values, memo))
    return fresh


def put(tree: Any, path: Path, value: Any) -> None:
    """Put a value in its place, in the structure itself; raises TypeError where the container cannot change."""
    holder, step = get(tree, path[:-1]), path[-1]
    if step.how == "attribute" and not isinstance(holder, tuple):
        object.__setattr__(holder, str(step.key), value)
    else:
        holder[step.key] = value


def as_array(value: Any) -> np.ndarray:
    """A leaf's numbers as an array (a copy for lists and numbers, the array itself for arrays)."""
    return np.asarray(value)


def like(value: Any, array: Any) -> Any:
    """Numbers in the form that `value` has: an array, a NumPy scalar, a Python number, a list of numbers."""
    if isinstance(value, np.ndarray):
        return np.asarray(array)
    if isinstance(value, list):
        return np.asarray(array).tolist()
    if isinstance(value, np.generic):
        return np.asarray(array)[()]
    return np.asarray(array).item()
