"""A call under way: what is called, what its arguments are, and what kind of function it is."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .instrument_spec import HOLE, STAR, CallSpec
from .record import Recorder
from .record_memory import Write
from .record_values import defines, is_array

TRANSPARENT, LIBRARY, ITERATOR = 0, 1, 2

# the libraries known not to change an array but in the ways that record_calls.py lists
KNOWN = frozenset({"numpy", "math", "cmath", "builtins", "operator", "functools", "itertools", "copy", "random", "scipy"})
_ITERATORS: frozenset[Any] = frozenset({zip, enumerate, map, filter})
_CONSUMERS = (sum, max, min, list, tuple, set, frozenset, sorted, any, all, functools.reduce)


class CallFrame:
    """One call under way."""

    __slots__ = ("spec", "f", "kind", "noted", "left", "args", "kwargs", "writes", "copies", "frame", "changed")

    def __init__(self, spec: CallSpec, f: Any, kind: int) -> None:
        self.spec = spec
        self.f = f
        self.kind = kind
        self.noted: list[Any] = []
        self.left = spec.holes
        self.args: tuple[Any, ...] = ()
        self.kwargs: dict[str, Any] = {}
        self.writes: list[tuple[Write, Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]]] = []
        self.copies: list[tuple[Any, bytes]] = []
        self.changed = False
        self.frame: Any = None  # the caller's, while it is needed


class Tap(list[Any]):
    """What passed through an iterator that a library function consumed."""


def users_own(recorder: Recorder, f: Any) -> bool:
    """Whether a callable is the user's code, whose body records itself."""
    for _ in range(8):
        kind = type(f)
        if kind is types.FunctionType:
            if f.__code__.co_filename in recorder.user_files:
                return True
        elif kind is types.MethodType:
            f = f.__func__
            continue
        elif issubclass(kind, type):
            return f.__module__ in recorder.user_modules
        elif kind is functools.partial:
            f = f.func
            continue
        elif kind.__module__ in recorder.user_modules:
            return True
        wrapped = getattr(f, "__wrapped__", None) if kind.__module__ in ("functools", "builtins") else None
        if wrapped is None:
            return False
        f = wrapped
    return False


def classify(recorder: Recorder, f: Any) -> int:
    """How a call of `f` is recorded."""
    if type(f) is type and f in _ITERATORS:
        return ITERATOR
    return TRANSPARENT if users_own(recorder, f) else LIBRARY


def home(f: Any) -> str:
    """The top-level package that a callable comes from."""
    owner = getattr(f, "__self__", None)
    kind = type(owner)
    if owner is not None and not issubclass(kind, types.ModuleType):
        module = owner.__module__ if issubclass(kind, type) else kind.__module__
    else:
        module = getattr(f, "__module__", None) or type(f).__module__
    return str(module).partition(".")[0]


def note(recorder: Recorder, call: CallFrame, value: Any, item: Callable[[Any], Any]) -> Any:
    """Keep an argument; returns what the function is to be given: the value, or an iterator that records."""
    if call.kind == ITERATOR:
        return map(item(value), value) if is_array(value) and value.ndim else value
    if not issubclass(type(value), (list, tuple, dict, str, np.ndarray)) and defines(value, "__next__"):
        tap, value = _tapped(call.f, value)
        call.noted.append(tap)
        return value
    call.noted.append(value)
    return value


def _tapped(f: Any, iterator: Iterator[Any]) -> tuple[Any, Any]:
    tap = Tap()
    if defines(iterator, "__length_hint__") and type(iterator).__module__ not in KNOWN:
        return iterator, iterator  # the user's own class, whose method the tap would hide

    def keep(value: Any) -> Any:
        tap.append(value)
        return value

    if any(f is known for known in _CONSUMERS) or getattr(f, "__module__", None) in ("math", "statistics"):
        return tap, map(keep, iterator)
    if type(iterator) is types.GeneratorType and home(f) == "numpy":  # numpy asks for the type
        return tap, (keep(value) for value in iterator)
    return iterator, iterator


def assemble(spec: CallSpec, noted: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments as the function gets them; `noted` are the arguments (or their trees) that are not literals."""
    values = iter(noted)
    args: list[Any] = []
    for entry in spec.positional:
        if entry is STAR:
            value = next(values)
            args.extend(value if issubclass(type(value), (list, tuple)) else ())
        else:
            args.append(next(values) if entry is HOLE else entry)
    kwargs: dict[str, Any] = {}
    for name, entry in spec.keywords:
        if entry is STAR:
            value = next(values)
            kwargs.update(value if issubclass(type(value), dict) else {})
        else:
            kwargs[str(name)] = next(values) if entry is HOLE else entry
    return args, kwargs
