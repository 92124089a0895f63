"""The look that every step can afford: which bytes of a parameter changed since the last one, and is all finite.

A full look finds the places, pairs the names and keeps whole arrays; this one reads the same places again. Where one of
them is gone, or holds another shape or dtype, it declines, and a full look takes over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np

from ...tree import Leaf, Path, get
from .history import History, Trail, all_finite
from .parameters import Held

_GONE = (KeyError, IndexError, AttributeError, TypeError)
_SETTLED = 8  # gradients seen not to be zero, after which one is read again only where the parameter stands still
_FINITE = 16  # steps between two looks for NaN: it stays where it is

Getter = Callable[[Any], Any]


class _Place:
    """One parameter: where it is, what kind of array it holds, and where its gradient is."""

    __slots__ = ("dtype", "gradient", "leaf", "read", "shape", "trail")

    def __init__(self, leaf: Leaf, trail: Trail, value: np.ndarray, gradient: Getter | None) -> None:
        self.leaf, self.trail, self.gradient = leaf, trail, gradient
        self.read = _getter(leaf.paths[0])
        self.shape, self.dtype = value.shape, value.dtype

    @property
    def settled(self) -> bool:
        """Whether nothing more can be learned from the gradient while the parameter changes."""
        return self.gradient is None or self.trail.nonzero >= _SETTLED


class Everyday:
    """Counts into the trails of `history` what one step changed. `gradients` are the paths of the paired gradients.

    `keys` are the names a flat source of gradients held when they were paired, None where every parameter has one: then
    a new name could tell nothing more.
    """

    def __init__(
        self,
        held: Held,
        history: History,
        now: Mapping[str, np.ndarray],
        gradients: Mapping[str, Path],
        keys: frozenset[Any] | None,
    ) -> None:
        self._held, self._history, self._keys = held, history, keys
        getters = {name: _getter(path) for name, path in gradients.items()}
        self._places = [_Place(lf, history.trails[lf.name], now[lf.name], getters.get(lf.name)) for lf in held.leaves]
        self._bytes = [now[leaf.name].tobytes() for leaf in held.leaves]
        self._tree = held.now()
        self._asks = bool(held.roots or held.bound)
        self._rebinds = held.make is not None or bool(held.rebound())  # the names must be asked in every step
        self._settled = False  # all places are
        self._moved = 0  # steps in which every parameter changed that are not yet in the trails
        self._counted = 0

    @classmethod
    def after(
        cls,
        held: Held,
        history: History,
        now: Mapping[str, np.ndarray],
        source: Any,
        gradients: Mapping[str, Path],
    ) -> Everyday | None:
        """One that goes on after a full look which saw the state `now`; None where only full looks see everything."""
        if now.keys() != history.trails.keys() or not all(type(held.current(leaf.name)) is np.ndarray for leaf in held.leaves):
            return None
        if gradients.keys() >= now.keys() or (source is None and not held.whole):
            return cls(held, history, now, gradients, None)
        if type(source) is dict and all(isinstance(v, np.ndarray) for v in source.values()):
            return cls(held, history, now, gradients, frozenset(source))
        return None

    def look(self, step: int, source: Any, count: bool) -> bool:
        """Look at the parameters, and where `count` at the gradients in `source`; False where a full look is needed.

        Every microsecond here is paid for in each step of the user's loop.
        """
        if self._keys is not None and count and (type(source) is not dict or source.keys() != self._keys):
            return False
        try:
            values = self._named() if self._rebinds else [place.read(self._tree) for place in self._places]
            kept = self._read(values)
            still = [a == b for a, b in zip(kept, self._bytes, strict=True)]
            anything = True in still
            if anything and self._asks and not self._rebinds:
                here = self._named()  # what stands still may have been left behind by its names
                if any(a is not b for a, b in zip(values, here, strict=True)):
                    values, kept, self._rebinds = here, self._read(here), True
                    still = [a == b for a, b in zip(kept, self._bytes, strict=True)]
            if count and (anything or not self._settled):
                self._grade(step, still, self._tree if source is None else source)
            elif count:
                self._moved += 1
        except _GONE:
            return False
        self._bytes = kept
        self._counted += count
        if self._counted % _FINITE == 0:
            self._ask_finite(step, values)
        return True

    def _named(self) -> list[Any]:
        """What stands at the places by the names that the loop uses: it is the names that take time."""
        self._tree, names = self._held.scene()
        return [self._held.read(self._tree, names, place.leaf) for place in self._places]

    def _read(self, values: list[Any]) -> list[bytes]:
        for place, value in zip(self._places, values, strict=True):
            if type(value) is not np.ndarray or value.shape != place.shape or value.dtype != place.dtype:
                raise TypeError
        return [value.tobytes() for value in values]

    def _grade(self, step: int, still: list[bool], source: Any) -> None:
        """Count a step that may tell something new, with the gradients that can."""
        pairs = list(zip(self._places, still, strict=True))
        asked = [(p, p.gradient(source)) for p, same in pairs if p.gradient is not None and (same or not p.settled)]
        for place, slope in asked:
            if type(slope) is not np.ndarray or slope.shape != place.shape or slope.dtype != place.dtype:
                raise TypeError
        for place, same in pairs:
            place.trail.samples += 1
            place.trail.changed += not same
        for place, slope in asked:
            place.trail.graded += 1
            place.trail.nonzero += bool(np.count_nonzero(slope))
            if not all_finite(slope):
                self._history.note_nonfinite(step, place.leaf.name)
        self._settled = all(place.settled for place in self._places)

    def _ask_finite(self, step: int, values: list[Any]) -> None:
        for place, value in zip(self._places, values, strict=True):
            if not all_finite(value):
                self._history.note_nonfinite(step, place.leaf.name)

    def settle(self) -> dict[str, np.ndarray]:
        """Bring the trails up to date; the parameters as they were last seen."""
        for place in self._places:
            place.trail.samples += self._moved
            place.trail.changed += self._moved
        self._moved = 0
        return {p.leaf.name: np.frombuffer(b, p.dtype).reshape(p.shape) for p, b in zip(self._places, self._bytes, strict=True)}


def _getter(path: Path) -> Getter:
    """A reader of one path, in C where it is one step long."""
    if len(path) == 1:
        step = path[0]
        return attrgetter(str(step.key)) if step.how == "attribute" else itemgetter(step.key)
    return lambda tree: get(tree, path)
