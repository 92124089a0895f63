"""The hooks that the rewritten program calls: each returns what it was given; a fault ends only the recording."""

from __future__ import annotations

import operator
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from .instrument_spec import BindSpec, CallSpec, OpSpec
from .record import Recorder
from .record_calls import Calls
from .record_frames import ITERATOR, LIBRARY, TRANSPARENT, CallFrame, classify, home, note
from .record_names import Names
from .record_values import defines, is_array, trackable
from .tape import Ref

_frame = sys._getframe


def make_hooks(recorder: Recorder, stop: type[BaseException]) -> dict[str, Any]:
    """All hooks of one recorder, by the names that the weaver uses (those of loops come from the runner)."""
    hooks: dict[str, Any] = {"Stop": stop}
    hooks.update(_literal_hooks(recorder))
    hooks.update(_operand_hooks(recorder))
    hooks.update(_item_hooks(recorder))
    hooks.update(_call_hooks(recorder, hooks["item"]))
    hooks.update(Names(recorder).hooks())
    return hooks


def _literal_hooks(recorder: Recorder) -> dict[str, Any]:
    def REC() -> bool:
        return recorder.on and not recorder.busy and threading.get_ident() == recorder.thread

    def L(value: Any) -> Any:
        return value * 1.0 if type(value) is float else value

    def FM(value: Any) -> Any:
        if type(value) is list:
            value[:] = [v * 1.0 if type(v) is float else v for v in value]
        elif type(value) is dict:
            value.update([(k, v * 1.0) for k, v in value.items() if type(v) is float])
        return value

    return {"REC": REC, "L": L, "FM": FM}


def _operand_hooks(recorder: Recorder) -> dict[str, Any]:
    get, activation, ids = recorder.activations.get, recorder.activation, recorder.ids

    def P(value: Any) -> Any:
        frame = _frame(1)
        found = get(id(frame))
        if found is None or found.code is not frame.f_code:
            found = activation(frame)
        found.ops.append(value)
        return value

    def K(key: Any) -> Any:
        activation(_frame(1)).keys.append(key)
        return key

    def B(spec: OpSpec, result: Any) -> Any:
        frame = _frame(1)
        ops = activation(frame).ops
        n = len(ops) - spec.holes
        values = ops[n:]
        del ops[n:]
        if trackable(result) and id(result) not in ids and recorder.on:
            with recorder.guard():
                scope = recorder.scope(frame)
                args = recorder.operands(spec, values, frame, scope)
                recorder.add("op", spec.op, args, result, spec.site, scope)
        return result

    def G(spec: OpSpec, result: Any) -> Any:
        frame = _frame(1)
        ops = activation(frame).ops
        n = len(ops) - spec.holes
        values = ops[n:]
        del ops[n:]
        if trackable(result) and id(result) not in ids and recorder.on:
            with recorder.guard():
                scope = recorder.scope(frame)
                container = values[0] if values else None
                if is_array(container):
                    args = recorder.operands(spec, values, frame, scope)
                    recorder.add("op", operator.getitem, args, result, spec.site, scope)
                elif type(container) is np.flatiter:
                    key = recorder.tree(values[1], spec.site, scope) if spec.holes > 1 else spec.operands[1]
                    base = Ref(recorder.lookup(container.base, spec.site, scope))
                    recorder.add("op", flat_item, (base, key), result, spec.site, scope)
                elif len(values) > 1 and container is not None and home(type(container)) == "numpy":  # np.c_[x, y], np.r_[x, y]
                    key = recorder.tree(values[1], spec.site, scope)
                    recorder.add("op", container.__getitem__, (key,), result, spec.site, scope)
        return result

    return {"P": P, "K": K, "B": B, "G": G}


def flat_item(array: Any, key: Any) -> Any:
    """`array.flat[key]`."""
    return array.flat[key]


def _item_hooks(recorder: Recorder) -> dict[str, Any]:
    ids = recorder.ids

    def item(array: Any, spec: Any = None) -> Callable[[Any], Any]:
        counter = iter(range(sys.maxsize))

        def noted(value: Any) -> Any:
            i = next(counter)
            if recorder.on and trackable(value) and id(value) not in ids:
                with recorder.guard():
                    scope = recorder.scope(_frame(1))
                    site = spec.site if spec is not None else None
                    source = Ref(recorder.lookup(array, site, scope))
                    recorder.add("op", operator.getitem, (source, i), value, site, scope)
            return value

        return noted

    def I(spec: OpSpec, iterable: Any) -> Any:  # noqa: E743
        if is_array(iterable) and iterable.ndim:
            if recorder.on:
                frame = _frame(1)
                with recorder.guard():
                    recorder.operands(spec, [iterable] * spec.holes, frame, recorder.scope(frame))
            return map(item(iterable, spec), iterable)
        return iterable

    def UP(value: Any) -> Any:
        if recorder.on and is_array(value) and value.ndim > 0 and len(value) <= 64:
            frame = _frame(1)
            with recorder.guard():
                scope = recorder.scope(frame)
                source = Ref(recorder.lookup(value, None, scope))
                items = tuple(value)
                for i, element in enumerate(items):
                    if trackable(element) and id(element) not in ids:
                        recorder.add("op", operator.getitem, (source, i), element, None, scope)
                return items
        return value

    return {"item": item, "I": I, "UP": UP}


def _call_hooks(recorder: Recorder, item: Callable[..., Any]) -> dict[str, Any]:
    activation = recorder.activation
    calls = Calls(recorder)

    def ready(frame: Any, call: CallFrame) -> None:
        if call.kind != TRANSPARENT and recorder.on:
            with recorder.guard():
                call.frame = frame
                calls.before(call, recorder.scope(frame))
                call.frame = None

    def F(spec: CallSpec, f: Any) -> Any:
        frame = _frame(1)
        kind = TRANSPARENT
        if recorder.on:
            with recorder.guard():
                kind = classify(recorder, f)
        call = CallFrame(spec, f, kind)
        activation(frame).calls.append(call)
        if not spec.holes:
            ready(frame, call)
        return f

    def A(value: Any) -> Any:
        frame = _frame(1)
        call = activation(frame).calls[-1]
        if call.kind != TRANSPARENT:
            with recorder.guard():
                value = note(recorder, call, value, item)
            call.left -= 1
            if not call.left and call.kind != ITERATOR:
                ready(frame, call)
        else:
            call.left -= 1
            if trackable(value) and id(value) not in recorder.ids and recorder.on:
                with recorder.guard():
                    expr = call.spec.exprs[call.spec.holes - call.left - 1]
                    recorder.named_tree(value, expr, call.spec.site, frame, recorder.scope(frame))
        return value

    def S(value: Any) -> Any:
        frame = _frame(1)
        call = activation(frame).calls[-1]
        if call.kind != TRANSPARENT:
            if is_array(value) and value.ndim:
                value = UP(value)
            elif not issubclass(type(value), (list, tuple, dict, str)) and defines(value, "__next__"):
                value = list(value)
            call.noted.append(value)
        call.left -= 1
        if not call.left and call.kind == LIBRARY:
            ready(frame, call)
        return value

    UP = _item_hooks(recorder)["UP"]

    def C(spec: CallSpec, result: Any) -> Any:
        frame = _frame(1)
        stack = activation(frame)
        call = stack.calls.pop()
        if call.spec is not spec:
            recorder.fail("internal error while recording: calls out of step")
        if recorder.on and call.kind != TRANSPARENT:
            with recorder.guard():
                if call.kind == ITERATOR:
                    return result
                scope = recorder.scope(frame)
                if call.f.__class__ is _METHOD and call.f.__name__ == "append" and type(call.f.__self__) is list:
                    calls.appended(call, stack, call.f.__self__[-1])
                elif call.f is setattr:
                    calls.attribute_set(call, scope)
                elif call.f is reversed and call.noted and is_array(call.noted[0]):
                    return map(_reversed_item(item, call.noted[0], spec), result)
                else:
                    call.frame = frame
                    calls.after(call, result, scope)
                    call.frame = None
        return result

    return {"F": F, "A": A, "S": S, "C": C}


_METHOD: Any = type([].append)


def _reversed_item(item: Callable[..., Any], array: Any, spec: Any) -> Callable[[Any], Any]:
    return item(array[::-1], spec)


__all__ = ["BindSpec", "make_hooks"]
