"""The parameters where the user holds them, read again at every look: containers, names that are rebound, objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from types import FrameType
from typing import Any

import numpy as np

from ...tree import Foreign, Leaf, Path, as_array, flatten, get, path_name
from .history import copied
from .names import Parts, is_gradient_name, is_parameter_name, is_setting_name, last_word

MANY_NAMES = 400  # a frame with more names than this is no training function; looking through it would cost


@dataclass(eq=False)
class Held:
    """Where each parameter is: the leaves at the start, and how to read them now.

    `roots` are the names under which the frame knows the container; a container that is rebound (as in
    `params = update(params)`) is followed by them. `bound` are the names of single arrays; `trust` says whether the
    loop knows these only, as it does where the container was made for the watch.
    """

    tree: Any
    leaves: list[Leaf]
    frame: FrameType | None = None
    roots: list[str] = field(default_factory=list)
    bound: dict[str, list[str]] = field(default_factory=dict)
    whole: bool = False  # whether objects are searched for their own gradients
    make: Callable[[], Any] | None = None
    trust: Callable[[], bool] = lambda: True

    @cached_property
    def trust_names(self) -> bool:
        """`trust()`, asked once, and only if a name parts from its container."""
        return self.trust()

    @property
    def parts(self) -> dict[str, Parts]:
        return {leaf.name: leaf.parts for leaf in self.leaves}

    def values(self) -> dict[str, np.ndarray]:
        """A copy of every parameter as it is now; what is no longer there is missing."""
        tree, names = self.scene()
        found = {}
        for leaf in self.leaves:
            value = self.read(tree, names, leaf)
            if value is not None:
                found[leaf.name] = copied(value)
        return found

    def current(self, name: str) -> Any:
        """The parameter itself as it is now."""
        leaf = next(leaf for leaf in self.leaves if leaf.name == name)
        return self.read(*self.scene(), leaf)

    def scene(self) -> tuple[Any, dict[str, Any]]:
        """The container now, and the names that the loop sees."""
        names = self._scope()
        return self._container(names), names

    def now(self) -> Any:
        """The container as the user's names know it now."""
        return self._container(self._scope())

    def _container(self, names: dict[str, Any]) -> Any:
        if self.make is not None:
            return self.make()
        for root in self.roots:
            found = names.get(root, self.tree)
            if found is not self.tree:
                return found
        return self.tree

    def _scope(self) -> dict[str, Any]:
        if self.frame is None or not (self.roots or self.bound):
            return {}
        local = self.frame.f_locals  # a dictionary that Python fills anew at each access
        if local is self.frame.f_globals or all(name in local for name in self._asked):
            return local
        return {**self.frame.f_globals, **local}

    @cached_property
    def _asked(self) -> tuple[str, ...]:
        return (*self.roots, *(name for names in self.bound.values() for name in names))

    def read(self, tree: Any, names: dict[str, Any], leaf: Leaf) -> Any:
        """What stands at the place of a leaf, or under the name that took over from it; None where nothing does."""
        value = _get(tree, leaf.paths[0])
        if value is leaf.value and leaf.name in self.bound:
            name, here = self._rebound(leaf, names)
            if name and self.trust_names:
                return here
        return value

    def _rebound(self, leaf: Leaf, names: dict[str, Any]) -> tuple[str, Any]:
        for name in self.bound.get(leaf.name, ()):
            here = names.get(name)
            if here is not leaf.value and here is not None and _fits(here):
                return name, here
        return "", leaf.value

    def rebound(self) -> dict[str, str]:
        """Parameters that the container still holds as they were while a name that stood for them holds another
        value."""
        names = self._scope()
        found = {leaf.name: self._rebound(leaf, names)[0] for leaf in self.leaves}
        return {leaf: name for leaf, name in found.items() if name}

    def own_gradients(self) -> list[Leaf]:
        """The gradients that an object keeps beside its parameters (`self.dW`); none for plain containers."""
        if not self.whole:
            return []
        return [leaf for leaf in flatten(self.now()) if is_gradient_name(last_word(leaf.parts))]

    def aliases(self) -> list[tuple[str, str]]:
        """Pairs of parameters that lie in the same memory now, in the same shape and order (a transposed view is
        meant)."""
        tree, names = self.scene()
        arrays = [(leaf, self.read(tree, names, leaf)) for leaf in self.leaves]
        found = []
        for i, (a, x) in enumerate(arrays):
            found += [(a.name, b.name) for b, y in arrays[i + 1 :] if _same_memory(x, y)]
        return found


def _same_memory(x: Any, y: Any) -> bool:
    if not isinstance(x, np.ndarray) or not isinstance(y, np.ndarray) or x.shape != y.shape or x.strides != y.strides:
        return False
    return x.size > 0 and np.may_share_memory(x, y) and x.__array_interface__["data"] == y.__array_interface__["data"]


def _fits(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.generic, float, int, list))


def _get(tree: Any, path: Path) -> Any:
    try:
        return get(tree, path)
    except (KeyError, IndexError, AttributeError, TypeError):
        return None


def held_by(params: Any, frame: FrameType | None, has_gradients: bool) -> Held:
    """Find the parameters in what the user handed over, and the names by which the calling frame knows them."""
    make = params if _is_maker(params) else None
    tree = params() if make is not None else params
    leaves = [leaf for leaf in _leaves(tree) if _trainable(leaf)]
    held = Held(tree, leaves, frame, make=make)
    held.whole = any(not leaf.declared for leaf in leaves) or (not has_gradients and _keeps_gradients(tree))
    if frame is not None and make is None:
        _find_names(held, frame)
    return held


def _is_maker(params: Any) -> bool:
    return callable(params) and type(params).__name__ in ("function", "method", "builtin_function_or_method", "partial")


def _keeps_gradients(tree: Any) -> bool:
    try:
        return any(not leaf.declared for leaf in flatten(tree))
    except Foreign:
        return False


def _leaves(tree: Any) -> list[Leaf]:
    """The leaves; an array that stands in two places is two of them here, since each is meant to be a parameter."""
    return [Leaf(path_name(p), (p,), leaf.value, leaf.declared) for leaf in flatten(tree) for p in leaf.paths]


def _trainable(leaf: Leaf) -> bool:
    """Whether a leaf can be a parameter: everything declared but settings; of an object what reads like a weight."""
    word = last_word(leaf.parts)
    array = as_array(leaf.value)
    if array.dtype.kind not in "fiu" or array.size == 0 or is_gradient_name(word):
        return False
    if not isinstance(leaf.value, np.ndarray) and (is_setting_name(word) or array.dtype.kind != "f"):
        return False
    return leaf.declared or is_parameter_name(word)


def gradient_leaves(source: Any) -> list[Leaf]:
    """The arrays and numbers of what holds the gradients."""
    return [leaf for leaf in flatten(source, "grads") if as_array(leaf.value).dtype.kind in "fiu"]


def _find_names(held: Held, frame: FrameType) -> None:
    names: dict[str, Any] = dict(frame.f_locals)
    if len(names) > MANY_NAMES:
        return
    if frame.f_globals is not frame.f_locals and len(frame.f_globals) <= MANY_NAMES:
        names = {**{k: v for k, v in frame.f_globals.items() if k in frame.f_code.co_names}, **names}
    held.roots = [n for n, v in names.items() if v is held.tree]
    by_id = {id(leaf.value): leaf.name for leaf in held.leaves}
    for name, value in names.items():
        leaf = by_id.get(id(value))
        if leaf is not None:
            held.bound.setdefault(leaf, []).append(name)
