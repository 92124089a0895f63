"""Copies of what a program's names lead to: arrays, plain containers, random generators, objects of the user's own classes.

Everything else is shared. `copy.deepcopy` would follow any reference into libraries and their whole state.
"""

from __future__ import annotations

import copy
import random
import sys
from collections.abc import Mapping
from types import MethodType
from typing import Any

import numpy as np

from ...errors import BackpropDoctorError
from .place import is_user_file

_MOST_BYTES = 1 << 28  # of arrays
_MOST_OBJECTS = 100_000
_ATOMS = (str, bytes, int, float, complex, bool, type(None), np.generic)
_GENERATORS = (np.random.Generator, np.random.RandomState, np.random.BitGenerator, random.Random)


class CannotRerun(BackpropDoctorError):
    """The watched code cannot be run a second time; the message says why."""


def copies(names: Mapping[str, Any], memo: dict[int, Any]) -> dict[str, Any]:
    """A copy of each value, objects that several names lead to copied once. Raises CannotRerun where it is too much."""
    copier = _Copier(memo)
    return {name: value if name.startswith("__") else copier(value) for name, value in list(names.items())}


class _Copier:
    def __init__(self, memo: dict[int, Any]) -> None:
        self.memo = memo
        self.bytes = 0
        self.kept: list[Any] = memo.setdefault(-1, [])  # alive, so that no identity is used twice

    def __call__(self, value: Any) -> Any:
        if isinstance(value, _ATOMS):
            return value
        if id(value) in self.memo:
            return self.memo[id(value)]
        made = self._copy(value)
        self.memo[id(value)] = made
        self.kept.append(value)
        return made

    def _copy(self, value: Any) -> Any:
        kind = type(value)
        if len(self.memo) > _MOST_OBJECTS:
            raise CannotRerun("its data have too many parts to be copied")
        if isinstance(value, np.ndarray):
            return self._array(value)
        if kind in (list, dict):
            made: Any = kind()
            self.memo[id(value)] = made
            if kind is list:
                made.extend([self(item) for item in list(value)])
            else:
                made.update((key, self(item)) for key, item in list(value.items()))
            return made
        if kind is tuple:
            return tuple([self(item) for item in value])
        if kind is set:
            return set(value)
        if isinstance(value, _GENERATORS):
            return copy.deepcopy(value)
        if kind is MethodType:
            return MethodType(value.__func__, self(value.__self__))
        return self._object(value) if _of_user(kind) else value

    def _array(self, value: np.ndarray) -> np.ndarray:
        self.bytes += value.nbytes
        if self.bytes > _MOST_BYTES:
            raise CannotRerun("its data are too large to be copied")
        return value.copy(order="K")

    def _object(self, value: Any) -> Any:
        try:
            made = copy.copy(value)
        except Exception:  # a class that refuses: shared
            return value
        self.memo[id(value)] = made
        own = getattr(made, "__dict__", None)
        if isinstance(own, dict):
            own.update({name: self(item) for name, item in list(vars(value).items())})
        for cls in type(value).__mro__:
            slots = cls.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                    object.__setattr__(made, name, self(getattr(value, name)))
        if isinstance(made, dict):
            for key in list(made):
                dict.__setitem__(made, key, self(made[key]))
        elif isinstance(made, list):
            made[:] = [self(item) for item in made]
        return made


def _of_user(kind: type) -> bool:
    if kind.__module__ in ("__main__", "builtins"):
        return kind.__module__ == "__main__"
    module = sys.modules.get(kind.__module__)
    path = getattr(module, "__file__", None)
    return module is None or (path is not None and is_user_file(path))
