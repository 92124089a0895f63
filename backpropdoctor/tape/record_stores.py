"""Stores: bindings of attributes and items, and changes of arrays by `x[k] = v`."""

from __future__ import annotations

import sys
from collections.abc import Hashable
from types import FrameType
from typing import Any

import numpy as np

from .buffers import FlatAssign, assign
from .instrument_spec import BindSpec, StoreSpec, Text, plain_key
from .record import Activation, Recorder
from .record_memory import Write
from .record_values import is_array, own_attribute, trackable

MAX_ELEMENTS = 64  # of a container that gets a name, named one by one
MISSING = object()
_frame = sys._getframe


class Pending:
    """A store under way: its container and key, and the change of an array if it is one."""

    __slots__ = ("spec", "base", "key", "keys", "write", "key_tree", "operand", "old", "done")

    def __init__(self, spec: StoreSpec, base: Any, key: Any, keys: list[Any]) -> None:
        self.spec = spec
        self.base = base
        self.key = key
        self.keys = keys
        self.write: Write | None = None
        self.key_tree: Any = None
        self.operand: Any = None
        self.old: Any = None
        self.done = False


class Stores:
    """The hooks for stores into containers, objects and arrays."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def _elements(
        self, scope: int, spec: BindSpec | StoreSpec, name: str, parts: tuple[Hashable, ...], value: Any, depth: int = 0
    ) -> None:
        """Name the elements of a small container, the first time that it gets this name."""
        kind = type(value)
        if kind not in (list, tuple, dict) or not 0 < len(value) <= MAX_ELEMENTS or depth > 2:
            return
        recorder = self.recorder
        known = (recorder.identity(value), name)
        if known in recorder.named:
            return
        recorder.named.add(known)
        for key, item in value.items() if kind is dict else enumerate(value):
            key = plain_key(key)
            if trackable(item):
                place = ("item", recorder.identity(value), key)
                recorder.bind(scope, place, f"{name}[{key!r}]", (*parts, key), item, spec.site, "element")
            elif type(item) in (list, tuple, dict):
                self._elements(scope, spec, f"{name}[{key!r}]", (*parts, key), item, depth + 1)

    def make_v(self) -> Any:
        activation = self.recorder.activation

        def V(value: Any) -> Any:
            activation(_frame(1)).ops.append(value)
            return value

        return V

    def make_pa(self) -> Any:
        recorder = self.recorder

        def PA(spec: StoreSpec, base: Any) -> Any:
            frame = _frame(1)
            found = recorder.activation(frame)
            pending = self._pend(found, frame, spec, base, None)
            if recorder.on and is_array(base):
                with recorder.guard():
                    attribute = spec.text.rpartition(".")[2]
                    if attribute in ("shape", "dtype", "strides"):
                        recorder.detach(base)
                    else:
                        pending.write = recorder.before_write(base, spec.site, recorder.scope(frame))
            return base

        return PA

    def make_ps(self) -> Any:
        recorder = self.recorder

        def PS(spec: StoreSpec, key: Any) -> Any:
            frame = _frame(1)
            found = recorder.activation(frame)
            pending = self._pend(found, frame, spec, found.ops.pop(), key)
            if recorder.on and issubclass(type(pending.base), (np.ndarray, np.flatiter)):
                with recorder.guard():
                    scope = recorder.scope(frame)
                    pending.key_tree = recorder.tree(key, spec.site, scope)
                    if spec.index is not None:
                        value = part(found.ops[-1], spec.index)
                        pending.operand = recorder.tree(value, spec.site, scope)
                    array = pending.base if is_array(pending.base) else pending.base.base
                    pending.write = recorder.before_write(array, spec.site, scope)
            return key

        return PS

    def _pend(self, found: Activation, frame: FrameType, spec: StoreSpec, base: Any, key: Any) -> Pending:
        """Note a store; those before it in the same statement are done by now."""
        found.pending = [p for p in found.pending if p.spec.group == spec.group]
        for earlier in found.pending:
            self._finish(earlier, found.ops[-1] if spec.kind == "attr" else found.ops[-1], frame)
        pending = Pending(spec, base, key, inner_keys(found, spec, key))
        found.pending.append(pending)
        return pending

    def make_st(self) -> Any:
        recorder = self.recorder

        def ST(specs: tuple[StoreSpec, ...]) -> None:
            frame = _frame(1)
            found = recorder.activation(frame)
            value = found.ops.pop()
            for pending in found.pending:
                if pending.spec.group == specs[0].group:
                    self._finish(pending, value, frame)
            found.pending.clear()

        return ST

    def _finish(self, pending: Pending, value: Any, frame: FrameType) -> None:
        """The store has happened: record the change and the name."""
        recorder, spec, base = self.recorder, pending.spec, pending.base
        if pending.done or not recorder.on:
            return
        pending.done = True
        with recorder.guard():
            scope = recorder.scope(frame)
            if pending.write is not None:
                self._record_write(pending, value, scope)
                self._rename(spec, base, frame, scope, "assign")
                return
            if is_array(base):
                return
            stored = _stored(pending, value)
            if stored is not MISSING:
                self._bind_slot(pending, stored, scope, "assign")

    def _record_write(self, pending: Pending, value: Any, scope: int) -> None:
        spec, base, write = pending.spec, pending.base, pending.write
        assert write is not None
        recorder = self.recorder
        known = part(value, spec.index) is not MISSING if spec.index is not None else False
        if spec.kind == "attr" or not known:
            whole = base if is_array(base) else base.base
            recorder.after_write(write, assign, None, (np.array(whole),), spec.site, scope)
        elif type(base) is np.flatiter:
            recorder.after_write(write, FlatAssign(), pending.key_tree, (pending.operand,), spec.site, scope)
        else:
            recorder.after_write(write, assign, whole_key(pending.key_tree), (pending.operand,), spec.site, scope)

    def _rename(self, spec: StoreSpec, base: Any, frame: FrameType, scope: int, how: Any) -> None:
        """After `x[k] = v` on an array, the new version is called `x` again."""
        recorder = self.recorder
        target: Any = spec.site.node if spec.op is None else spec.exprs[0]
        array = base if is_array(base) else getattr(base, "base", None)
        found = recorder.follow(target.value, frame, scope)
        if found is not None and array is not None and found[3] is array:
            place, text, parts, _ = found
            recorder.bind(scope, place, text, parts, array, spec.site, how)

    def _bind_slot(self, pending: Pending, value: Any, scope: int, how: Any) -> None:
        spec, recorder = pending.spec, self.recorder
        if spec.kind == "attr":
            place: Hashable = ("attr", recorder.identity(pending.base), spec.text.rpartition(".")[2])
        else:
            key = plain_key(pending.key)
            if isinstance(key, Text):
                return
            place = ("item", recorder.identity(pending.base), key)
        parts, text = spec.path.filled(pending.keys) if spec.path else ((spec.text,), spec.text)
        recorder.bind(scope, place, text, parts, value, spec.site, how)
        if how == "assign":
            self._elements(scope, spec, text, parts, value)


def whole_key(key: Any) -> Any:
    """None means 'all of it' in a write; `x[None]` is written otherwise."""
    return (None,) if key is None else key


def inner_keys(found: Activation, spec: StoreSpec, key: Any) -> list[Any]:
    """The keys noted on the way to the container, and the last one."""
    if spec.path is None:
        return []
    last = 0
    if spec.kind == "key" and spec.path.steps and spec.path.last_dynamic:
        last = 1
    inner = spec.path.dynamic - last
    keys = found.keys[len(found.keys) - inner :] if inner else []
    if inner:
        del found.keys[-inner:]
    return [*keys, key] if last else keys


def part(value: Any, index: tuple[int, ...] | None) -> Any:
    """The part of an unpacked value that goes to one target."""
    for i in index or ():
        if type(value) not in (tuple, list) or i >= len(value):
            return MISSING
        value = value[i]
    return value


def _stored(pending: Pending, value: Any) -> Any:
    """What a store has put into its slot, without running code of the user's classes."""
    spec, base = pending.spec, pending.base
    if spec.index is not None:
        found = part(value, spec.index)
        if found is not MISSING:
            return found
    if spec.kind == "attr":
        return own_attribute(base, spec.text.rpartition(".")[2], MISSING)
    if type(base) is list and type(pending.key) is int:
        return base[pending.key]
    if type(base) is dict and type(pending.key) in (str, int, float, bool):
        return base.get(pending.key, MISSING)
    return MISSING
