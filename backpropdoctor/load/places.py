"""The user's functions at other values of the parameters, with the user's own parameters left as they were."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import numpy as np

from ..errors import InputError
from ..model import Values
from ..tree import Leaf, Path, get, is_number, like, put, replaced
from .calling import Signature, call, signature_of

Convention = Literal["whole", "unpacked", "keywords", "none", "method"]


def convention_of(function: Callable[..., Any], params: Any, name: str) -> Convention:
    """How a function takes the parameters: whole, unpacked, as keywords, as its own object, or not at all.

    Raises InputError where it takes more arguments than the parameters can fill.
    """
    if not callable(function):
        raise InputError(f"`{name}` is a {type(function).__name__}, not a function", help="pass the function, not its result")
    signature = signature_of(function)
    if not signature.known:
        return "whole"
    if not signature.names and not signature.more:
        return "method" if getattr(function, "__self__", None) is params else "none"
    if signature.required <= 1:
        return "whole"
    return _filled(signature, params, name)


def _filled(signature: Signature, params: Any, name: str) -> Convention:
    if isinstance(params, (list, tuple)) and signature.takes(len(params)):
        return "unpacked"
    if isinstance(params, Mapping) and set(signature.names[: signature.required]) <= set(params):
        return "keywords"
    arguments = ", ".join(signature.names)
    first = signature.names[0]
    raise InputError(
        f"`{name}({arguments})` needs {signature.required} arguments, and only the parameters are passed",
        help=f"wrap it: `lambda {first}: {name}({arguments})`",
    )


class Place:
    """The parameters of a run: where they stand, what they were, and how a function is called at others."""

    def __init__(self, params: Any, leaves: list[Leaf]) -> None:
        self.params, self.leaves = params, leaves
        self._saved = [(leaf, _copy(leaf.value)) for leaf in leaves]

    def values(self, values: Values) -> dict[Path, Any]:
        """For every path of every leaf what stands there: a fresh copy, or the replacement in the leaf's form."""
        found: dict[Path, Any] = {}
        for leaf, saved in self._saved:
            first = leaf.paths[0]
            value = _formed(leaf.value, values[first]) if first in values else _copy(saved)
            found.update(dict.fromkeys(leaf.paths, value))
        return found

    def structure(self, values: Values) -> tuple[Any, dict[Path, Any]]:
        """A structure like the user's with fresh values, and those values."""
        fresh = self.values(values)
        return replaced(self.params, fresh), fresh

    @contextlib.contextmanager
    def in_place(self, values: Values) -> Iterator[None]:
        """The user's own structure with the values in it; afterwards it is bit for bit what it was."""
        try:
            for leaf in self.leaves:
                if leaf.paths[0] in values:
                    _write(self.params, leaf, values[leaf.paths[0]])
            yield
        finally:
            self.restore()

    def restore(self) -> list[Leaf]:
        """Put back whatever differs from the first look; returns the leaves that did."""
        changed = []
        for leaf, saved in self._saved:
            differs = isinstance(leaf.value, np.ndarray) and not same_bits(leaf.value, saved)
            if differs:
                np.copyto(leaf.value, saved)
            elif isinstance(leaf.value, list) and leaf.value != saved:
                leaf.value[:], differs = _copy(saved), True
            for path in leaf.paths:
                if path and _at(self.params, path) is not leaf.value:
                    put(self.params, path, leaf.value)
                    differs = True
            if differs:
                changed.append(leaf)
        return changed


_ABSENT = object()


def _at(tree: Any, path: Path) -> Any:
    try:
        return get(tree, path)
    except (KeyError, IndexError, AttributeError):
        return _ABSENT


def _copy(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.copy(order="K")
    return [_copy(v) for v in value] if isinstance(value, list) else value


def _formed(original: Any, value: Any) -> Any:
    if isinstance(original, np.ndarray):
        fresh = np.array(value)
        return fresh.view(type(original)) if type(original) is np.matrix else fresh
    return like(original, value)


def _write(params: Any, leaf: Leaf, value: Any) -> None:
    """Into the array itself where it can take the value, so that all who hold it see it; else into its places."""
    if isinstance(leaf.value, np.ndarray) and leaf.value.flags.writeable and np.asarray(value).dtype.kind != "c":
        np.copyto(leaf.value, value, casting="unsafe")
        return
    for path in leaf.paths:
        if not path:
            raise TypeError("a single number that a function without arguments reads cannot be varied")
        put(params, path, _formed(leaf.value, value))


def same_bits(a: Any, b: Any) -> bool:
    """True for two arrays (or numbers, or lists of numbers) of the same type, shape and bits."""
    x, y = np.asarray(a), np.asarray(b)
    if x.dtype != y.dtype or x.shape != y.shape:
        return False
    return x.dtype.kind == "O" or x.tobytes() == y.tobytes()


class Caller:
    """A user's function of the parameters; `changed` collects the names of parameters that it changed in place."""

    def __init__(self, function: Callable[..., Any], name: str, place: Place) -> None:
        self.function, self.name, self.place = function, name, place
        self.convention = convention_of(function, place.params, name)
        self.changed: dict[str, Leaf] = {}
        self.calls = 0

    @property
    def in_place(self) -> bool:
        """Whether the function reads the user's own parameters."""
        return self.convention == "none"

    def __call__(self, values: Values) -> tuple[Any, Any]:
        """The result at these values, and the structure that the function was given."""
        self.calls += 1
        if self.convention == "none":
            return self._plain(values)
        structure, fresh = self.place.structure(values)
        before = {path: _copy(value) for path, value in fresh.items()} if self.calls <= 2 else {}
        result = self._passed(structure)
        for leaf in self.place.leaves:
            path = leaf.paths[0]
            if path in before and not _same(_at(structure, path), before[path]):
                self.changed[leaf.name] = leaf
        return result, structure

    def _passed(self, structure: Any) -> Any:
        if self.convention == "unpacked":
            return call(self.function, self.name, *structure)
        if self.convention == "keywords":
            return call(self.function, self.name, **structure)
        if self.convention == "method":
            return call(getattr(structure, self.function.__name__), self.name)
        return call(self.function, self.name, structure)

    def _plain(self, values: Values) -> tuple[Any, Any]:
        with self.place.in_place(values):
            before = [(leaf, _copy(leaf.value)) for leaf in self.place.leaves] if self.calls <= 2 else []
            slots = [(leaf, _at(self.place.params, leaf.paths[0])) for leaf, _ in before]
            result = _detached(call(self.function, self.name))
            for (leaf, saved), (_, slot) in zip(before, slots, strict=True):
                if not _same(leaf.value, saved) or _at(self.place.params, leaf.paths[0]) is not slot:
                    self.changed[leaf.name] = leaf
        return result, self.place.params


def _same(now: Any, before: Any) -> bool:
    if is_number(now) and is_number(before):
        return bool(now == before or (now != now and before != before))
    if now is _ABSENT or isinstance(now, np.ndarray) != isinstance(before, np.ndarray):
        return False
    return same_bits(now, before)


def _detached(result: Any) -> Any:
    """A result that shares no array with the parameters, which are about to be put back."""
    if isinstance(result, np.ndarray):
        return result.copy()
    if isinstance(result, dict):
        return {k: _detached(v) for k, v in result.items()}
    if isinstance(result, (list, tuple)) and not hasattr(result, "_fields"):
        return type(result)(_detached(v) for v in result)
    return result
