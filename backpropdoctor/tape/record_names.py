"""Names and stores: bindings of variables, attributes and items; changes of arrays by `x[k] = v` and `x -= v`."""

from __future__ import annotations

import sys
from collections.abc import Hashable
from types import FrameType
from typing import Any

import numpy as np

from .buffers import Augment, FlatAssign, FlatAugment, assign
from .instrument_spec import BindSpec, StoreSpec, Text, plain_key
from .record import Activation, Recorder
from .record_memory import Write
from .record_values import is_array, name_place, own_attribute, trackable
from .tape import Ref

MAX_ELEMENTS = 64  # of a container that gets a name, named one by one
_MISSING = object()
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


class Names:
    """The hooks for names and stores."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def hooks(self) -> dict[str, Any]:
        """The hooks by name; each leaves the program alone if the recorder is off or at fault."""
        names = ["E", "N", "TB", "R", "V", "PA", "PS", "ST", "OLD", "PV", "AF", "BS", "KY", "SK"]
        return {name: getattr(self, f"make_{name.lower()}")() for name in names}

    # --- variables ----------------------------------------------------------------------------------------------------

    def _bind(self, frame: FrameType, scope: int, spec: BindSpec, name: str, value: Any) -> None:
        place = name_place(frame, scope, name)
        self.recorder.bind(scope, place, name, (name,), value, spec.site, spec.how)
        self._elements(scope, spec, name, (name,), value)

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

    def make_e(self) -> Any:
        recorder = self.recorder

        def E(spec: BindSpec, *values: Any) -> bool:
            if recorder.on:
                frame = _frame(1)
                with recorder.guard():
                    scope = recorder.enter(frame, spec.site.function).scope
                    for name, value in zip(spec.names, values, strict=True):
                        self._bind(frame, scope, spec, name, value)
            return True

        return E

    def make_n(self) -> Any:
        recorder = self.recorder

        def N(spec: BindSpec, value: Any) -> Any:
            if recorder.on:
                frame = _frame(1)
                with recorder.guard():
                    self._bind(frame, recorder.scope(frame), spec, spec.names[0], value)
            return value

        return N

    def make_tb(self) -> Any:
        recorder = self.recorder

        def TB(spec: BindSpec, *values: Any) -> None:
            if recorder.on:
                frame = _frame(1)
                with recorder.guard():
                    scope = recorder.scope(frame)
                    for name, value in zip(spec.names, values, strict=True):
                        self._bind(frame, scope, spec, name, value)

        return TB

    def make_r(self) -> Any:
        recorder = self.recorder

        def R(spec: BindSpec, value: Any) -> Any:
            if recorder.on:
                frame = _frame(1)
                with recorder.guard():
                    scope = recorder.scope(frame)
                    name = spec.names[0]
                    if trackable(value):
                        recorder.bind(scope, ("return", scope), name, (name,), value, spec.site, "return")
                    elif type(value) is tuple and len(value) <= MAX_ELEMENTS:
                        for i, item in enumerate(value):
                            if trackable(item):
                                place = ("return", scope, i)
                                recorder.bind(scope, place, f"{name}()[{i}]", (name, i), item, spec.site, "return")
            return value

        return R

    # --- stores -------------------------------------------------------------------------------------------------------

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
                        value = _part(found.ops[-1], spec.index)
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
        pending = Pending(spec, base, key, _inner_keys(found, spec, key))
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
            if stored is not _MISSING:
                self._bind_slot(pending, stored, scope, "assign")

    def _record_write(self, pending: Pending, value: Any, scope: int) -> None:
        spec, base, write = pending.spec, pending.base, pending.write
        assert write is not None
        recorder = self.recorder
        known = _part(value, spec.index) is not _MISSING if spec.index is not None else False
        if spec.kind == "attr" or not known:
            whole = base if is_array(base) else base.base
            recorder.after_write(write, assign, None, (np.array(whole),), spec.site, scope)
        elif type(base) is np.flatiter:
            recorder.after_write(write, FlatAssign(), pending.key_tree, (pending.operand,), spec.site, scope)
        else:
            recorder.after_write(write, assign, _whole_key(pending.key_tree), (pending.operand,), spec.site, scope)

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

    # --- augmented assignment: OLD, PV, the operation, AF, then the store -------------------------------------------

    def make_old(self) -> Any:
        return self.make_v()

    def make_pv(self) -> Any:
        recorder = self.recorder

        def PV(spec: StoreSpec, value: Any) -> Any:
            frame = _frame(1)
            found = recorder.activation(frame)
            ops = found.ops
            ops.append(value)
            key = ops[-3] if spec.kind == "key" else None
            base = ops[-4] if spec.kind == "key" else ops[-3] if spec.kind == "attr" else None
            pending = Pending(spec, base, key, _inner_keys(found, spec, key))
            found.pending = [pending]
            if recorder.on:
                with recorder.guard():
                    self._before_augmented(pending, ops[-2], value, frame)
            return value

        return PV

    def _before_augmented(self, pending: Pending, old: Any, value: Any, frame: FrameType) -> None:
        recorder, spec = self.recorder, pending.spec
        scope = recorder.scope(frame)
        container = pending.base if spec.kind == "key" else None
        if type(container) is np.flatiter:
            written = container.base
        else:
            written = container if is_array(container) else old if is_array(old) else None
        stored = written is not None and container is not None and written is not old
        if written is not None or trackable(old) or trackable(value):
            before = len(recorder.tape.nodes)
            pending.old = None if stored else recorder.tree(old, spec.site, scope)
            if len(recorder.tape.nodes) > before and type(pending.old) is Ref:
                self._bind_old(pending, old, frame, scope)
            pending.operand = value if spec.literal else self._operand(spec, value, frame, scope)
            if written is not None:
                pending.key_tree = recorder.tree(pending.key, spec.site, scope) if stored else None
                pending.write = recorder.before_write(written, spec.site, scope)

    def _operand(self, spec: StoreSpec, value: Any, frame: FrameType, scope: int) -> Any:
        return self.recorder.named_tree(value, spec.exprs[1], spec.site, frame, scope)

    def _bind_old(self, pending: Pending, old: Any, frame: FrameType, scope: int) -> None:
        spec = pending.spec
        if spec.kind == "name":
            assert spec.path is not None
            name = spec.path.root
            self.recorder.bind(scope, name_place(frame, scope, name), name, (name,), old, spec.site, "read")
        else:
            self._bind_slot(pending, old, scope, "read")

    def make_af(self) -> Any:
        recorder = self.recorder

        def AF(spec: StoreSpec, result: Any) -> Any:
            frame = _frame(1)
            found = recorder.activation(frame)
            old = found.ops[-2]
            del found.ops[-2:]
            pending = found.pending[-1] if found.pending else None
            if recorder.on and pending is not None and pending.spec is spec:
                with recorder.guard():
                    self._after_augmented(pending, old, result, frame)
            return result

        return AF

    def _after_augmented(self, pending: Pending, old: Any, result: Any, frame: FrameType) -> None:
        recorder, spec = self.recorder, pending.spec
        scope = recorder.scope(frame)
        if spec.kind == "key" and issubclass(type(pending.base), (np.ndarray, np.flatiter)):
            return  # the hook SK records it, once the store is done
        if pending.write is not None and result is old:
            assert spec.op is not None
            operands = (pending.operand,)
            recorder.after_write(pending.write, Augment(spec.op), None, operands, spec.site, scope)
        elif trackable(result) and id(result) not in recorder.ids:
            recorder.add("op", spec.pure, (pending.old, pending.operand), result, spec.site, scope)
        if spec.kind == "name":
            assert spec.path is not None
            name = spec.path.root
            recorder.bind(scope, name_place(frame, scope, name), name, (name,), result, spec.site, "augmented")
        else:
            self._bind_slot(pending, result, scope, "augmented")

    def make_bs(self) -> Any:
        activation = self.recorder.activation

        def BS() -> Any:
            return activation(_frame(1)).ops[-2]

        return BS

    def make_ky(self) -> Any:
        activation = self.recorder.activation

        def KY() -> Any:
            return activation(_frame(1)).ops.pop()

        return KY

    def make_sk(self) -> Any:
        recorder = self.recorder

        def SK() -> None:
            frame = _frame(1)
            found = recorder.activation(frame)
            base = found.ops.pop()
            if not (recorder.on and found.pending and issubclass(type(base), (np.ndarray, np.flatiter))):
                return
            pending = found.pending.pop()
            if pending.write is not None and pending.base is base:
                with recorder.guard():
                    spec, scope = pending.spec, recorder.scope(frame)
                    assert spec.op is not None
                    key, operands = _whole_key(pending.key_tree), (pending.operand,)
                    op = FlatAugment(spec.op) if type(base) is np.flatiter else Augment(spec.op)
                    recorder.after_write(pending.write, op, key, operands, spec.site, scope)
                    self._rename(spec, base, frame, scope, "augmented")

        return SK


def _whole_key(key: Any) -> Any:
    """None means 'all of it' in a write; `x[None]` is written otherwise."""
    return (None,) if key is None else key


def _inner_keys(found: Activation, spec: StoreSpec, key: Any) -> list[Any]:
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


def _part(value: Any, index: tuple[int, ...] | None) -> Any:
    """The part of an unpacked value that goes to one target."""
    for i in index or ():
        if type(value) not in (tuple, list) or i >= len(value):
            return _MISSING
        value = value[i]
    return value


def _stored(pending: Pending, value: Any) -> Any:
    """What a store has put into its slot, without running code of the user's classes."""
    spec, base = pending.spec, pending.base
    if spec.index is not None:
        found = _part(value, spec.index)
        if found is not _MISSING:
            return found
    if spec.kind == "attr":
        return own_attribute(base, spec.text.rpartition(".")[2], _MISSING)
    if type(base) is list and type(pending.key) is int:
        return base[pending.key]
    if type(base) is dict and type(pending.key) in (str, int, float, bool):
        return base.get(pending.key, _MISSING)
    return _MISSING
