"""Augmented assignments `x += v`: the old value is noted, then the operation, then the store."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import numpy as np

from .buffers import Augment, FlatAugment
from .instrument_spec import StoreSpec
from .record_stores import Pending, Stores, inner_keys, whole_key
from .record_values import is_array, name_place, trackable
from .tape import Ref

_frame = sys._getframe


class Augmented(Stores):
    """The hooks OLD, PV, AF around the operation, and those that keep container and key for the store after it."""

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
            pending = Pending(spec, base, key, inner_keys(found, spec, key))
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
                    key, operands = whole_key(pending.key_tree), (pending.operand,)
                    op = FlatAugment(spec.op) if type(base) is np.flatiter else Augment(spec.op)
                    recorder.after_write(pending.write, op, key, operands, spec.site, scope)
                    self._rename(spec, base, frame, scope, "augmented")

        return SK
