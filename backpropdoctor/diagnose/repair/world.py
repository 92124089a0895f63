"""What a statement sees when it runs, kept so that it can be run again on other values.

Recorded values are kept as references to their nodes; containers and objects of the user's are copied, all else is kept as
it is. A world is made real by giving each node a value.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import BuiltinFunctionType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from ...tape.record import trackable
from ...tape.tape import Ref

_DEPTH = 4
_MOST_ITEMS = 600  # of a container that is copied; longer ones are kept as they are
_SMALL = 100_000  # elements of an array that nobody recorded and that is copied all the same


@dataclass(slots=True)
class Kept:
    """A value that is not on the tape."""

    value: Any


@dataclass(slots=True)
class Unknown:
    """A value not seen by the recorder yet; `node` is filled in when it is."""

    value: Any
    node: int | None = None


@dataclass(slots=True)
class Items:
    """A list, tuple or dict, or one of the kinds derived from these; `kind` is the plain one."""

    kind: type
    items: Any
    original: Any = None  # of a derived kind: what an empty copy of it is made from


@dataclass(slots=True)
class Thing:
    """An object of one of the user's classes with its own attributes."""

    cls: type
    attributes: dict[str, Any]
    original: Any


Frozen = Any  # Ref, Kept, Unknown, Items, Thing


class Freezer:
    """Takes a picture of values; `ids` tells which ones are nodes."""

    def __init__(self, ids: Mapping[int, int], user_modules: set[str]) -> None:
        self.ids = ids
        self.user_modules = user_modules
        self.unknown: list[Unknown] = []
        self.count = 0  # values looked at

    def names(self, names: Mapping[str, Any], memo: dict[int, Frozen] | None = None) -> dict[str, Frozen]:
        """The variables of a scope; with the `memo` of another one, what both hold is one thing."""
        memo = {} if memo is None else memo
        return {k: self.freeze(v, memo) for k, v in list(names.items()) if not (k.startswith("__") and k.endswith("__"))}

    def freeze(self, value: Any, memo: dict[int, Frozen], depth: int = 0) -> Frozen:
        """One value."""
        self.count += 1
        if trackable(value):
            return self._number(value, memo)
        kind = type(value)
        if isinstance(value, (ModuleType, FunctionType, BuiltinFunctionType, type, Enum, str, int)) or value is None:
            return Kept(value)
        if id(value) in memo:
            return memo[id(value)]
        if depth < _DEPTH and isinstance(value, (list, tuple, dict, deque)) and len(value) <= _MOST_ITEMS:
            return self._container(value, memo, depth)
        if depth < _DEPTH and (kind.__module__ in self.user_modules or kind is SimpleNamespace):
            thing = memo[id(value)] = Thing(kind, {}, value)
            for name, inner in list(_attributes(value)):
                thing.attributes[name] = self.freeze(inner, memo, depth + 1)
            return thing
        return Kept(value)

    def _number(self, value: Any, memo: dict[int, Frozen]) -> Frozen:
        node = self.ids.get(id(value))
        if node is not None:
            return Ref(node)
        if id(value) not in memo:
            small = isinstance(value, np.ndarray) and value.size <= _SMALL
            memo[id(value)] = Unknown(value)
            self.unknown.append(memo[id(value)])
            if small:
                memo[id(value)].value = value.copy()
                self._originals = getattr(self, "_originals", [])
                self._originals.append((value, memo[id(value)]))
        return memo[id(value)]

    def resolve(self) -> None:
        """Values that the recorder has seen in the meantime become known."""
        for value, unknown in getattr(self, "_originals", []):
            unknown.node = self.ids.get(id(value))
        for unknown in self.unknown:
            if unknown.node is None:
                unknown.node = self.ids.get(id(unknown.value))
        self.unknown.clear()
        self._originals = []

    def _container(self, value: Any, memo: dict[int, Frozen], depth: int) -> Frozen:
        original = None if type(value) in (list, tuple, dict) else value
        if isinstance(value, dict):
            made = memo[id(value)] = Items(dict, {}, original)
            for k, v in list(value.items()):
                made.items[k] = self.freeze(v, memo, depth + 1)
            return made
        made = memo[id(value)] = Items(tuple if isinstance(value, tuple) else list, [], original)
        made.items.extend(self.freeze(v, memo, depth + 1) for v in value)
        return made


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    """The object's own attributes, those in slots included."""
    yield from getattr(value, "__dict__", {}).items()
    for cls in type(value).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            name = f"_{cls.__name__.lstrip('_')}{name}" if name.startswith("__") and not name.endswith("__") else name
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                yield name, getattr(value, name)


def nodes_in(frozen: Iterable[Frozen]) -> set[int]:
    """The nodes that kept values are, or hold."""
    found: set[int] = set()
    seen: set[int] = set()
    stack = list(frozen)
    while stack:
        one = stack.pop()
        if isinstance(one, Ref):
            found.add(one.index)
        elif isinstance(one, Unknown):
            found |= set() if one.node is None else {one.node}
        elif isinstance(one, (Items, Thing)) and id(one) not in seen:
            seen.add(id(one))
            inner = one.attributes if isinstance(one, Thing) else one.items
            stack += inner.values() if isinstance(inner, dict) else inner
    return found


class Maker:
    """Makes kept values real again. `value_of(node)` gives the values of nodes; `copies` makes arrays that may be changed."""

    def __init__(self, value_of: Callable[[int], Any], copies: bool) -> None:
        self.value_of = value_of
        self.copies = copies
        self.made: dict[int, Any] = {}

    def make(self, frozen: Frozen) -> Any:
        """The value."""
        kind = type(frozen)
        if kind is Kept:
            return frozen.value
        if kind is Ref:
            value = self.value_of(frozen.index)
            return self._array(("node", frozen.index), value) if isinstance(value, np.ndarray) else value
        if kind is Unknown:
            value = self.value_of(frozen.node) if frozen.node is not None else frozen.value
            return self._array(("unknown", id(frozen)), value) if isinstance(value, np.ndarray) else value
        if id(frozen) in self.made:
            return self.made[id(frozen)]
        if kind is Items:
            return self._items(frozen)
        made = self.made[id(frozen)] = object.__new__(frozen.cls)
        for name, inner in frozen.attributes.items():
            object.__setattr__(made, name, self.make(inner))
        return made

    def _items(self, frozen: Items) -> Any:
        if frozen.kind is tuple:
            values = tuple(self.make(v) for v in frozen.items)
            return values if not hasattr(frozen.original, "_make") else frozen.original._make(values)
        made: Any = frozen.kind()
        if frozen.original is not None:
            made = copy.copy(frozen.original)
            made.clear()
        self.made[id(frozen)] = made
        if frozen.kind is dict:
            made.update((k, self.make(v)) for k, v in frozen.items.items())
        else:
            made.extend(self.make(v) for v in frozen.items)
        return made

    def _array(self, key: Any, value: np.ndarray) -> Any:
        if key not in self.made:
            if self.copies:
                self.made[key] = value.copy()
            else:
                self.made[key] = value.view()
                self.made[key].flags.writeable = False
        return self.made[key]
