"""The recorder: what is on, whose frame it is, and what things are called; the values are `Memory`'s."""

from __future__ import annotations

import ast
import threading
import weakref
from collections.abc import Callable, Hashable
from types import CodeType, FrameType
from typing import Any

from .instrument_spec import HOLE, OpSpec, path_of
from .record_memory import Memory
from .record_values import element, name_place, own_attribute, static_key, trackable, written_out
from .tape import Binding, Ref, Scope, Site

_INNER = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})


class Activation:
    """What the recorder keeps for one frame: its scope, and the operands and calls under way in it."""

    __slots__ = ("code", "scope", "ops", "calls", "keys", "pending")

    def __init__(self, code: CodeType, scope: int) -> None:
        self.code = code
        self.scope = scope
        self.ops: list[Any] = []
        self.calls: list[Any] = []
        self.keys: list[Any] = []
        self.pending: list[Any] = []


class Recorder(Memory):
    """Builds a `Tape`. `on` says whether the program's recorded bodies run."""

    def __init__(self, *, max_nodes: int, max_bytes: int) -> None:
        super().__init__(max_nodes, max_bytes)
        self.on = False
        self.closed = False
        self.stopping = False  # the policy has had enough
        self.guarded = Guard(self)
        self.busy = 0  # user code that a hook may set off (`__array_finalize__`) is not recorded
        self.debug = False  # in tests: faults of the recorder are raised
        self.thread = threading.get_ident()
        self.identities: dict[int, tuple[Callable[[], Any], int]] = {}
        self.activations: dict[int, Activation] = {}
        self.count = 0
        self.named: set[tuple[int, str]] = set()
        self.user_files: set[str] = set()
        self.user_modules: set[str] = set()

    # --- on and off ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin a stretch of recording; what was known before may have changed unseen, and is forgotten."""
        if not (self.on or self.stopping) and self.tape.complete:
            self.forget()
            self.named.clear()
            self.on = True

    def pause(self) -> None:
        """End a stretch: arrays that unrecorded code may change from now on are copied."""
        if self.on:
            self.on = False
            self.copy_values()

    def fail(self, reason: str) -> None:
        """Give up recording; the program goes on."""
        self.pause()
        self.tape.complete = False
        self.tape.reason = self.tape.reason or reason

    def close(self) -> None:
        """The program is over: keep the record, let go of the program."""
        self.on, self.closed = False, True
        self.forget()
        self.activations.clear()

    # --- activations --------------------------------------------------------------------------------------------------

    def activation(self, frame: FrameType) -> Activation:
        """The record of a frame; made when first needed."""
        found = self.activations.get(id(frame))
        if found is None or found.code is not frame.f_code:
            found = Activation(frame.f_code, -1)
            self.activations[id(frame)] = found
        return found

    def enter(self, frame: FrameType, function: str) -> Activation:
        """A function begins: a new scope."""
        parent = self._caller(frame.f_back)
        call = parent.calls[-1].spec.site if parent and parent.calls else None
        scope = Scope(len(self.tape.scopes), function, len(self.tape.nodes), parent.scope if parent else None, call)
        self.tape.scopes[scope.id] = scope
        made = Activation(frame.f_code, scope.id)
        self.activations[id(frame)] = made
        return made

    def _caller(self, frame: FrameType | None) -> Activation | None:
        while frame is not None:
            found = self.activations.get(id(frame))
            if found is not None and found.code is frame.f_code and found.scope >= 0:
                return found
            frame = frame.f_back
        return None

    def scope(self, frame: FrameType) -> int:
        """The scope of a frame; comprehensions belong to the function around them."""
        inner: FrameType | None = frame
        while inner is not None and inner.f_code.co_name in _INNER and inner.f_code.co_filename in self.user_files:
            inner = inner.f_back
        frame = inner or frame
        found = self.activation(frame)
        if found.scope < 0:
            kept = found
            found = self.enter(frame, frame.f_code.co_qualname)
            kept.scope = found.scope
            self.activations[id(frame)] = kept
            found = kept
        return found.scope

    # --- names --------------------------------------------------------------------------------------------------------

    def bind(
        self,
        scope: int,
        place_: Hashable,
        name: str,
        parts: tuple[Hashable, ...],
        value: Any,
        site: Site,
        how: Any,
    ) -> None:
        """Record that a value got a name."""
        node = self.lookup(value, site, scope) if trackable(value) else None
        self.tape.bindings.append(Binding(len(self.tape.nodes), scope, place_, name, parts, node, site, how))

    def identity(self, container: Any) -> int:
        """A number of its own for each object that a store went to, for as long as the record exists."""
        known = self.identities.get(id(container))
        if known is not None and known[0]() is container:
            return known[1]
        try:
            alive: Callable[[], Any] = weakref.ref(container)
        except TypeError:

            def alive() -> Any:  # dicts and lists are kept alive
                return container

        self.count += 1
        self.identities[id(container)] = (alive, self.count)
        return self.count

    def operands(self, spec: OpSpec, values: list[Any], frame: FrameType, scope: int) -> tuple[Any, ...]:
        """The argument tree of an operation; a leaf read here for the first time is named by its expression."""
        noted = zip(values, spec.exprs, strict=True)
        return tuple(self.named_tree(*next(noted), spec.site, frame, scope) if o is HOLE else o for o in spec.operands)

    def guard(self) -> Guard:
        """A context for everything that a hook does beside returning what it was given."""
        return self.guarded

    def named_tree(self, value: Any, expr: ast.expr, site: Site, frame: FrameType, scope: int) -> Any:
        """`tree`, and a name for a leaf that is read here for the first time."""
        index = self.ids.get(id(value))
        if index is not None:
            return Ref(index)
        if written_out(expr):
            return value
        if isinstance(expr, (ast.Tuple, ast.List)) and type(value) in (tuple, list) and len(value) == len(expr.elts):
            parts = zip(value, expr.elts, strict=True)
            return type(value)(self.named_tree(v, e, site, frame, scope) for v, e in parts)
        before = len(self.tape.nodes)
        tree = self.tree(value, site, scope)
        if type(tree) is Ref and tree.index >= before:
            self._bind_read(expr, value, site, frame, scope)
        return tree

    def _bind_read(self, expr: ast.expr, value: Any, site: Site, frame: FrameType, scope: int) -> None:
        found = self.follow(expr, frame, scope)
        if found is not None and found[3] is value:
            self.bind(scope, found[0], found[1], found[2], value, site, "read")

    def follow(self, expr: ast.expr, frame: FrameType, scope: int) -> tuple[Hashable, str, tuple[Any, ...], Any] | None:
        """Place, name, parts and value of a path, through plain attributes and dict or list items only."""
        path = path_of(expr)
        if path is None:
            return None
        locals_ = frame.f_locals
        value = locals_.get(path.root, frame.f_globals.get(path.root, frame))
        place_: Hashable = name_place(frame, scope, path.root)
        chain: list[Any] = []
        while not isinstance(expr, ast.Name):
            chain.append(expr)
            expr = expr.value  # type: ignore[attr-defined]
        keys: list[Any] = []
        for step in reversed(chain):
            if value is frame:
                return None
            if isinstance(step, ast.Attribute):
                place_ = ("attr", self.identity(value), step.attr)
                value = own_attribute(value, step.attr, frame)
            else:
                key = static_key(step.slice, locals_, frame.f_globals)
                if key is None or not issubclass(type(value), (dict, list)):
                    return None
                if not isinstance(step.slice, ast.Constant):
                    keys.append(key)
                place_ = ("item", self.identity(value), key)
                value = element(value, key, frame)
        parts, text = path.filled(keys)
        return None if value is frame else (place_, text, parts, value)


class Guard:
    """A fault of the recorder itself ends the recording, and never disturbs the program."""

    __slots__ = ("recorder",)

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def __enter__(self) -> None:
        self.recorder.busy += 1

    def __exit__(self, kind: Any, error: Any, _: Any) -> bool:
        recorder = self.recorder
        recorder.busy -= 1
        if kind is None or not issubclass(kind, Exception):
            return False
        if issubclass(kind, RecursionError):  # the program is at the limit itself; there is no room to keep a record
            recorder.on, recorder.tape.complete = False, False
            recorder.tape.reason = recorder.tape.reason or "the program reached the recursion limit"
            return True
        recorder.fail(f"internal error while recording: {kind.__name__}: {error}")
        return not recorder.debug
