"""Calls: who is called (the user's code records itself), what the call changes in place, what it yields."""

from __future__ import annotations

import ast
import copy
import functools
import inspect
import operator
import random
from typing import Any

import numpy as np

from . import buffers
from .algebra import COPY
from .buffers import ByMethod, Into, Method, OnCopies, OnFirst
from .instrument_spec import path_of, plain_key
from .record import Recorder
from .record_frames import KNOWN, CallFrame, Tap, assemble, home
from .record_memory import Write
from .record_values import is_array, own_attribute, trackable
from .tape import Ref, _refs

# the ways in which the known libraries change an array
_WRITING_METHODS = frozenset({"sort", "fill", "put", "partition", "itemset", "setfield", "__setitem__", "byteswap"})
_WRITING_FIRST = frozenset({"copyto", "put", "place", "putmask", "fill_diagonal", "put_along_axis"})
MAX_COMPARED = 1 << 25  # elements of an array that is compared before and after a call of an unknown library
_UNSET = (np.empty_like, np.empty)
_COPYING = (copy.copy, copy.deepcopy)
_RANDOM = (np.random.RandomState, np.random.Generator, random.Random)


class Calls:
    """Records calls of library functions, before and after."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def before(self, call: CallFrame, scope: int) -> None:
        """The last moment before the function runs: its arguments are looked up, what it will change is kept."""
        recorder, spec, frame = self.recorder, call.spec, call.frame
        raw_args, raw_kwargs = assemble(spec, call.noted)
        owner = getattr(call.f, "__self__", None)
        owners: list[Any] = []
        if trackable(owner):
            func: Any = spec.site.node
            expr = func.func.value if isinstance(func.func, ast.Attribute) else func.func
            owners = [recorder.named_tree(owner, expr, spec.site, frame, scope)]
            raw_args.insert(0, owner)
        trees = [
            noted if type(noted) is Tap else recorder.named_tree(noted, expr, spec.site, frame, scope)
            for noted, expr in zip(call.noted, spec.exprs, strict=True)
        ]
        args, call.kwargs = assemble(spec, trees)
        call.args = (*owners, *args)
        self._plan(call, raw_args, raw_kwargs, scope)

    # --- changes in place ---------------------------------------------------------------------------------------------

    def _plan(self, call: CallFrame, args: list[Any], kwargs: dict[str, Any], scope: int) -> None:
        f, name = call.f, getattr(call.f, "__name__", "")
        bound = trackable(getattr(f, "__self__", None))
        out = kwargs.get("out")
        outs = list(out) if type(out) is tuple else [out]
        given = any(o is not None for o in outs)
        if not given:
            outs = _positional_outs(f, args)
        options = {k: v for k, v in call.kwargs.items() if k != "out"}
        if outs:
            rest = call.args if given else call.args[: len(args) - len(outs)]
            for target in outs:
                if is_array(target):
                    op = Into(Method(name) if bound else f) if len(outs) == 1 else None
                    self._will_write(call, target, op, rest, options, scope)
        elif bound and is_array(f.__self__) and name in _WRITING_METHODS:
            if name != "byteswap" or (args[1:2] or [kwargs.get("inplace")])[0]:
                self._will_write(call, f.__self__, ByMethod(name), call.args[1:], options, scope)
        elif (name in _WRITING_FIRST and home(f) == "numpy") or (name == "at" and type(f.__self__) is np.ufunc):
            if args and is_array(args[0]):
                self._will_write(call, args[0], OnFirst(f), call.args[1:], options, scope)
        elif args and is_array(args[0]) and _changes_somehow(name, kwargs):
            self._will_write(call, args[0], None, (), {}, scope)
        elif home(f) not in KNOWN or any(k.startswith("overwrite") for k in kwargs):
            for array in (*args, *kwargs.values()):
                if is_array(array) and array.flags.writeable and array.size <= MAX_COMPARED:
                    call.copies.append((array, array.tobytes()))

    def _will_write(
        self, call: CallFrame, target: Any, op: Any, rest: tuple[Any, ...], options: dict[str, Any], scope: int
    ) -> None:
        write = self.recorder.before_write(target, call.spec.site, scope)
        if write is not None:
            call.writes.append((write, op, target, rest, options))

    def _written(self, call: CallFrame, scope: int) -> bool:
        recorder, site = self.recorder, call.spec.site
        for array, before in call.copies:
            if array.tobytes() != before:
                call.changed = True
                if type(array.dtype) is not None and array.flags.owndata and array.nbytes == len(before):
                    self._found_changed(call, array, before, scope)
                else:
                    recorder.fail(f"`{_name(call.f)}` changed an array in a way that cannot be recorded")
        for write, op, target, operands, options in call.writes:
            if op is None:
                op, operands, options = buffers.assign, (np.array(target),), {}
            recorder.after_write(write, op, None, operands, site, scope, options)
            self._rename(call, target, scope)
        return bool(call.writes)

    def _rename(self, call: CallFrame, target: Any, scope: int) -> None:
        """The array that was changed is called again what the call calls it."""
        node: Any = call.spec.site.node
        exprs = list(call.spec.exprs)
        if isinstance(node.func, ast.Attribute):
            exprs.append(node.func.value)
        for expr in exprs:
            found = self.recorder.follow(expr, call.frame, scope) if call.frame is not None else None
            if found is not None and found[3] is target:
                place, text, parts, _ = found
                self.recorder.bind(scope, place, text, parts, target, call.spec.site, "augmented")
                return

    def _found_changed(self, call: CallFrame, array: Any, before: bytes, scope: int) -> None:
        recorder = self.recorder
        buffer = recorder.buffer(array)
        if buffer is None or buffer.whole is not array:
            recorder.fail(f"`{_name(call.f)}` changed an array in a way that cannot be recorded")
            return
        old = np.frombuffer(bytearray(before), array.dtype).reshape(array.shape)
        write = Write(buffer, buffers.memory_of(old), None)
        if not array.flags.c_contiguous:
            write.memory = buffers.memory_of(np.asfortranarray(old))
        recorder.after_write(write, buffers.assign, None, (np.array(array),), call.spec.site, scope)

    # --- results ------------------------------------------------------------------------------------------------------

    def after(self, call: CallFrame, result: Any, scope: int) -> None:
        """The function has returned: record what it made, unless that is known already."""
        wrote = self._written(call, scope)
        if wrote or result is None:
            return
        recorder = self.recorder
        if not trackable(result) and not self._new_inside(result):
            return
        if trackable(result) and id(result) in recorder.ids:
            return
        site = call.spec.site
        args = tuple(recorder.tree(list(a), site, scope) if type(a) is Tap else a for a in call.args)
        owner = getattr(call.f, "__self__", None)
        op = Method(call.f.__name__) if trackable(owner) else call.f
        if call.changed:
            op = OnCopies(op)
        if issubclass(type(owner), _RANDOM) or home(call.f) == "random":
            self._outputs("random", None, (), result, site, scope, {})
        elif any(call.f is f for f in _UNSET) or not any(True for _ in _refs((args, call.kwargs))):
            self._outputs("leaf", None, (), result, site, scope, {})
        elif any(call.f is f for f in _COPYING) and len(args) == 1:
            self._copies(args[0], result, site, scope)
        else:
            self._outputs("op", op, args, result, site, scope, call.kwargs)

    def _new_inside(self, value: Any, depth: int = 0) -> bool:
        if depth > 3 or not issubclass(type(value), (list, tuple, dict)) or len(value) > 4096:
            return False
        for item in value.values() if issubclass(type(value), dict) else value:
            if trackable(item):
                if id(item) not in self.recorder.ids:
                    return True
            elif self._new_inside(item, depth + 1):
                return True
        return False

    def _outputs(
        self, kind: str, op: Any, args: tuple[Any, ...], value: Any, site: Any, scope: int, kwargs: dict[str, Any]
    ) -> None:
        recorder = self.recorder
        if trackable(value):
            recorder.add(kind, op, args, value, site, scope, kwargs)
            return
        if kind != "op":
            for item in value.values() if issubclass(type(value), dict) else value:
                if trackable(item) and id(item) not in recorder.ids:
                    recorder.add(kind, None, (), item, site, scope)
                elif issubclass(type(item), (list, tuple, dict)):
                    self._outputs(kind, None, (), item, site, scope, {})
            return
        shallow = value if issubclass(type(value), tuple) else type(value)(value) if type(value) in (list, dict) else value
        recorder.kept.append(value)
        index = recorder.add(kind, op, args, shallow, site, scope, kwargs)
        self._items(index, value, site, scope)

    def _copies(self, tree: Any, value: Any, site: Any, scope: int) -> None:
        """Each array in a copied container is a copy of its own original."""
        if type(tree) is Ref:
            if trackable(value) and id(value) not in self.recorder.ids:
                self.recorder.add("op", COPY, (tree,), value, site, scope)
        elif type(tree) is dict and issubclass(type(value), dict):
            for key, part in tree.items():
                self._copies(part, value[key], site, scope)
        elif issubclass(type(tree), (list, tuple)) and issubclass(type(value), (list, tuple)):
            for part, item in zip(tree, value, strict=True):
                self._copies(part, item, site, scope)

    def _items(self, index: int, value: Any, site: Any, scope: int) -> None:
        recorder = self.recorder
        for key, item in list(value.items()) if issubclass(type(value), dict) else enumerate(value):
            if is_array(item):
                recorder.held(index, key, item)
            if trackable(item):
                if id(item) not in recorder.ids:
                    recorder.add("item", operator.getitem, (Ref(index), key), item, site, scope)
            elif self._new_inside(item):
                inner = recorder.add("item", operator.getitem, (Ref(index), key), item, site, scope)
                self._items(inner, item, site, scope)

    def appended(self, call: CallFrame, activation: Any, value: Any) -> None:
        """`xs.append(v)`: the new element has a name."""
        owner, path = call.f.__self__, call.spec.owner
        if path is None:
            return
        keys = activation.keys[len(activation.keys) - path.dynamic :] if path.dynamic else []
        if path.dynamic:
            del activation.keys[-path.dynamic :]
        if not trackable(value):
            return
        parts, text = path.filled(keys)
        at = len(owner) - 1
        self.recorder.bind(
            activation.scope,
            ("item", self.recorder.identity(owner), plain_key(at)),
            f"{text}[{at}]",
            (*parts, at),
            value,
            call.spec.site,
            "append",
        )

    def attribute_set(self, call: CallFrame, scope: int) -> None:
        """`setattr(x, name, v)`: the attribute has a name, as after `x.name = v`."""
        args, node = assemble(call.spec, call.noted)[0], call.spec.site.node
        if len(args) != 3 or type(args[1]) is not str or not isinstance(node, ast.Call):
            return
        owner, name, value = args
        if not trackable(value) or own_attribute(owner, name, None) is not value:
            return
        path = path_of(node.args[0])
        parts, text = path.filled([]) if path and not path.dynamic else ((unparsed := ast.unparse(node.args[0]),), unparsed)
        place = ("attr", self.recorder.identity(owner), name)
        self.recorder.bind(scope, place, f"{text}.{name}", (*parts, name), value, call.spec.site, "assign")


def _changes_somehow(name: str, kwargs: dict[str, Any]) -> bool:
    """Whether a function changes its first argument in a way that is recorded by its outcome only."""
    return name == "shuffle" or (name == "nan_to_num" and kwargs.get("copy") is False)


def _name(f: Any) -> str:
    return getattr(f, "__qualname__", None) or getattr(f, "__name__", None) or type(f).__name__


def _positional_outs(f: Any, args: list[Any]) -> list[Any]:
    if type(f) is np.ufunc:
        return args[f.nin : f.nin + f.nout]
    if len(args) > 2 and home(f) == "numpy" and any(is_array(a) for a in args[2:]):
        position = _out_position(getattr(f, "__func__", f), getattr(f, "__name__", ""))
        if position is not None and position < len(args) and is_array(args[position]):
            return [args[position]]
    return []


@functools.lru_cache(maxsize=256)
def _out_position(f: Any, name: str) -> int | None:
    if name == "dot":
        return 2
    try:
        parameters = inspect.signature(f).parameters
    except (TypeError, ValueError):
        return None
    positional = [n for n, p in parameters.items() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return positional.index("out") if "out" in positional else None
