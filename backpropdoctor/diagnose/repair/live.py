"""Call a live function once more on what it saw the first time: its arguments and global values, kept before the call."""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from ...tape.run import RunResult
from ...tape.run_call import reachable, record_call, root_of, sources_of
from .edited import names_of
from .rerun import quiet

_MOST_BYTES = 200 << 20  # of the arrays that are kept
_NO_STATE = (FunctionType, MethodType, ModuleType, type, str, int, float, complex, bytes, np.ufunc)


@dataclass(slots=True)
class Kept:
    """Copies of what a call may change: global values by their module, some other values, where random numbers stood."""

    spaces: list[tuple[dict[str, Any], dict[str, Any]]]
    values: Any
    seeds: tuple[Any, Any]
    sources: Mapping[str, str | None]  # of the functions, as they were compiled

    @contextlib.contextmanager
    def back(self) -> Iterator[Any]:
        """Brings it all back until the block ends, gives a copy of the `values`, and prints nothing."""
        values, kept = copy.deepcopy((self.values, [k for _, k in self.spaces]))
        with _swapped([(space, new) for (space, _), new in zip(self.spaces, kept, strict=True)], self.seeds), quiet():
            yield values


def keep(
    functions: Sequence[FunctionType], values: Any, names: Collection[str] = (), space: dict[str, Any] | None = None
) -> Kept | None:
    """What is to be brought back where `functions` run once more, and the `names` of a `space`; None where it cannot be.

    It cannot where a value is too large or does not let itself be copied, or stands in a closure.
    """
    try:
        spaces = _spaces(functions, names, space)
        if any(_has_own_state(f) for f in functions) or _bytes([values, *(k for _, k in spaces)]) > _MOST_BYTES:
            return None
        copied, kept = copy.deepcopy((values, [k for _, k in spaces]))
    except Exception:  # whatever a copy of the user's objects raises, there is none
        return None
    both = [(where, new) for (where, _), new in zip(spaces, kept, strict=True)]
    return Kept(both, copied, (random.getstate(), np.random.get_state()), sources_of(functions))


@dataclass(frozen=True, slots=True)
class Call:
    """A call that can be made again, on copies of all that it may change."""

    path: str
    kept: Kept

    def again(
        self, policy: Any, *, texts: Mapping[str, str] | None = None, watched: Callable[[Any], Any] | None = None
    ) -> RunResult:
        """Make the call on fresh copies; nothing of the user's is changed, nothing printed."""
        with self.kept.back() as (function, owner, args):
            called = function if owner is None else MethodType(function, owner)
            return record_call(called, args, policy=policy, sources=self.kept.sources, texts=texts, watched=watched)


def kept_call(function: Callable[..., Any], args: Sequence[Any]) -> Call | None:
    """What it takes to make a call again, to be asked for before the call; None where that cannot be kept."""
    owner = function.__self__ if isinstance(function, MethodType) else None
    plain = function.__func__ if isinstance(function, MethodType) else function
    if not isinstance(plain, FunctionType):
        return None
    functions = list(reachable([plain, owner, *args], root_of(plain)))
    kept = keep(functions, (plain, owner, tuple(args)))
    return Call(plain.__code__.co_filename, kept) if kept is not None else None


def _spaces(
    functions: Sequence[FunctionType], names: Collection[str], space: dict[str, Any] | None
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The global names that functions mention and that hold values, by the module."""
    mentioned = {*names, *(name for f in functions for name in names_of(f.__code__))}
    spaces = {id(f.__globals__): f.__globals__ for f in functions}
    if space is not None:
        spaces[id(space)] = space
    found = []
    for space in spaces.values():
        values = {n: space[n] for n in mentioned if n in space and not isinstance(space[n], (*_NO_STATE, type(None)))}
        found.append((space, values))
    return found


def _has_own_state(function: FunctionType) -> bool:
    """Whether a function keeps values that a call may change in a closure or in its defaults."""
    held = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):
            held.append(cell.cell_contents)
    return any(isinstance(v, (np.ndarray, list, dict, set)) for v in held)


def _bytes(values: Any, depth: int = 0) -> int:
    if isinstance(values, np.ndarray):
        return int(values.nbytes)
    if depth > 4 or isinstance(values, _NO_STATE):
        return 0
    if isinstance(values, dict):
        return sum(_bytes(v, depth + 1) for v in values.values())
    if isinstance(values, (list, tuple)):
        return sum(_bytes(v, depth + 1) for v in values)
    return _bytes(getattr(values, "__dict__", {}), depth + 1)


@contextlib.contextmanager
def _swapped(spaces: Sequence[tuple[dict[str, Any], dict[str, Any]]], seeds: tuple[Any, Any]) -> Iterator[None]:
    """Puts other values into modules, and the random numbers back to where they were, until the block ends."""
    before = [dict(space) for space, _ in spaces]
    now = (random.getstate(), np.random.get_state())
    try:
        random.setstate(seeds[0])
        np.random.set_state(seeds[1])
        for space, new in spaces:
            space.update(new)
        yield
    finally:
        random.setstate(now[0])
        np.random.set_state(now[1])
        for (space, _), old in zip(spaces, before, strict=True):
            for name in [n for n in space if n not in old]:
                del space[name]
            space.update(old)
