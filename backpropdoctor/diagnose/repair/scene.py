"""What is in scope where a statement runs: the names a person could have written there, with their values."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from ...load.pieces import is_part
from .capture import Moment, Place
from .edited import Edited, Misfit, prepare, run_edited
from .expression import Part, Text, parts_of
from .trial import Trial
from .world import Items, Maker, Thing

_MOST = 400


@dataclass(frozen=True, slots=True)
class Variable:
    """A readable thing in scope: what to write, and its value."""

    text: str
    value: Any

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)


def relative_paths(scene: Scene) -> Iterator[str]:
    """Items of the containers in scope, at the indices and keys that the same function writes: `self.A[i - 1]`."""
    indices: dict[str, None] = {}
    prefixes: dict[tuple[str, str], None] = {}
    for node in ast.walk(scene.function):
        if isinstance(node, ast.Subscript) and any(isinstance(n, ast.Name) for n in ast.walk(node.slice)):
            if isinstance(node.slice, ast.BinOp) and isinstance(node.slice.left, ast.Constant):
                prefixes[(ast.unparse(node.slice.left), ast.unparse(node.slice)[len(ast.unparse(node.slice.left)) :])] = None
            elif isinstance(node.slice, ast.JoinedStr):
                continue
            elif not isinstance(node.slice, (ast.Slice, ast.Tuple, ast.Compare)):
                indices[ast.unparse(node.slice)] = None
    for index in list(indices)[:6]:
        if isinstance(scene.evaluate(index), (int, np.integer)):
            for shifted in (f"{index} + 1", f"{index} - 1"):
                indices.setdefault(_tidy(shifted), None)
    ready = [i for i in list(indices)[:14] if isinstance(scene.evaluate(i), (int, np.integer))]
    for path in _indexed_arrays(scene):
        for index in ready:
            yield f"{path}[{index}]"
    for path, items in scene.containers:
        if items.kind is not dict or any(isinstance(k, int) for k in items.items):
            for index in ready:
                yield f"{path}[{index}]"
        if items.kind is dict:
            names = {re.sub(r"\d+$", "", k) for k in items.items if isinstance(k, str)}
            for _, rest in list(prefixes)[:6]:
                for name in sorted(names):
                    yield f"{path}[{scene.quote}{name}{scene.quote}{rest}]"


def _indexed_arrays(scene: Scene) -> list[str]:
    """The arrays whose rows the function reads."""
    found: dict[str, None] = {}
    for node in ast.walk(scene.function):
        if isinstance(node, ast.Subscript) and isinstance(node.value, (ast.Name, ast.Attribute)):
            if any(isinstance(n, ast.Name) for n in ast.walk(node.slice)):
                found[ast.unparse(node.value)] = None
    return [t for t in found if isinstance(scene.evaluate(t), np.ndarray)][:8]


def _tidy(text: str) -> str:
    """`l - 1 + 1` as `l`, `l + 1 + 1` as `l + 2`."""
    node = ast.parse(text, mode="eval").body
    if isinstance(node, ast.BinOp) and isinstance(node.left, ast.BinOp) and isinstance(node.left.right, ast.Constant):
        inner = node.left
        if isinstance(inner.op, (ast.Add, ast.Sub)) and type(inner.right.value) is int:  # type: ignore[attr-defined]
            total = inner.right.value if isinstance(inner.op, ast.Add) else -inner.right.value  # type: ignore[attr-defined]
            total += 1 if isinstance(node.op, ast.Add) else -1
            left = ast.unparse(inner.left)
            return left if total == 0 else f"{left} + {total}" if total > 0 else f"{left} - {-total}"
    return text


class Scene:
    """A statement at its first relevant moment: its parts with their values, the variables it could read."""

    def __init__(self, trial: Trial, place: Place, statement: ast.stmt) -> None:
        self.trial = trial
        self.place = place
        self.statement = statement
        self.text = Text(statement, place.path)
        moments = trial.moments[place]
        self.moment: Moment = moments[-1]  # the first ones may see values that are only set up
        self.tree = ast.parse("\n".join(self.text.lines))
        self.origin: ast.stmt | None = None  # the assignment that was put into the statement, if one was
        self.within: frozenset[int] | None = None  # the parts that came from there: the only ones to be edited
        self._values: dict[int, Any] = {}
        self._longest: int | None = None
        self._shapes: dict[str, tuple[int, ...] | None] = {}
        self.sizes: dict[int, tuple[int, ...] | None] = {}  # shapes of the statement's parts, by identity

    @cached_property
    def own(self) -> set[int]:
        """The identities of the nodes of the statement."""
        return {id(n) for n in ast.walk(self.statement)}

    @cached_property
    def parts(self) -> list[Part]:
        return list(parts_of(self.statement))

    # --- values -------------------------------------------------------------------------------------------------------

    def value(self, node: ast.expr) -> Any:
        """The value of a part; None where it cannot be had by itself."""
        if id(node) not in self._values:
            self._values[id(node)] = self.evaluate(ast.unparse(node))
        return self._values[id(node)]

    def evaluate(self, text: str, moment: Moment | None = None) -> Any:
        """The value of an expression in this place; None where it cannot be evaluated."""
        try:
            node = ast.parse(f"__value__ = {text}").body[0]
            edited: Edited = prepare(self.place, node)
            there = moment or self.moment
            probe = Moment(there.at, there.locals, there.globals, there.namespace, [("__value__", 0)])
            return run_edited(edited, probe, self.trial.replay.base)[0]
        except (Misfit, SyntaxError, ValueError):
            return None

    def shape(self, node: ast.expr) -> tuple[int, ...] | None:
        value = self.value(node)
        return np.shape(value) if is_number(value) else None

    def has_long_arrays(self, length: int) -> bool:
        """Whether an array in scope is at least that long along some axis."""
        if self._longest is None:
            self._longest = max((n for v in self.arrays for n in v.shape), default=0)
        return self._longest >= length

    def known_shape(self, text: str) -> tuple[int, ...] | None:
        """The shape of a variable by its text; None for one that is not in scope."""
        if text not in self._shapes:
            value = self.evaluate(text)
            self._shapes[text] = np.shape(value) if is_number(value) else None
        return self._shapes[text]

    # --- names --------------------------------------------------------------------------------------------------------

    @cached_property
    def variables(self) -> list[Variable]:
        """Numbers and arrays in scope, those that are mentioned in the same function first."""
        maker = Maker(self.trial.replay.base, False)
        found: dict[str, Any] = {}
        here = self.local_names
        for scope in (self.moment.locals, self.moment.globals):
            for name, frozen in scope.items():
                if scope is self.moment.globals and name in self.moment.locals:
                    continue
                self._collect(name, frozen, maker, found, 0)
        for text in relative_paths(self):
            value = self.evaluate(text)
            if is_number(value):
                found[text] = value
        rows = [Variable(t, v) for t, v in found.items() if re.split(r"[.\[]", t)[0] != "_"]
        rows.sort(key=lambda v: (re.split(r"[.\[]", v.text)[0] not in here, bool(re.search(r"\[-?\d+\]", v.text))))
        return rows[:_MOST]

    @cached_property
    def containers(self) -> list[tuple[str, Items]]:
        """Lists and dictionaries in scope, with what to write for them."""
        found: list[tuple[str, Items]] = []
        here = self.local_names
        for scope in (self.moment.locals, self.moment.globals):
            for name, frozen in scope.items():
                rows = [(name, frozen)]
                if isinstance(frozen, Thing):
                    rows = [(f"{name}.{a}", inner) for a, inner in frozen.attributes.items()]
                found += [(t, f) for t, f in rows if isinstance(f, Items) and f.kind is not tuple and t.split(".")[0] in here]
        return found[:24]

    def _collect(self, text: str, frozen: Any, maker: Maker, found: dict[str, Any], depth: int) -> None:
        if len(found) > 4 * _MOST:
            return
        if isinstance(frozen, Thing) and depth < 2:
            for name, inner in frozen.attributes.items():
                self._collect(f"{text}.{name}", inner, maker, found, depth + 1)
        elif isinstance(frozen, Items) and depth < 2:
            if frozen.kind is dict:
                for key, inner in list(frozen.items.items())[:40]:
                    if isinstance(key, str) or (isinstance(key, int) and len(frozen.items) <= 8):
                        self._collect(f"{text}[{key!r}]".replace("'", self.quote), inner, maker, found, depth + 1)
            elif len(frozen.items) <= 8:
                fields = getattr(frozen.original, "_fields", ())  # a named tuple's items are read by their names
                for k, inner in enumerate(frozen.items):
                    item = f"{text}.{fields[k]}" if k < len(fields) else f"{text}[{k}]"
                    self._collect(item, inner, maker, found, depth + 1)
        elif not isinstance(frozen, (Items, Thing)):
            value = maker.make(frozen)
            if is_number(value):
                found[text] = value

    @cached_property
    def quote(self) -> str:
        """The quotes the user writes."""
        whole = "\n".join(self.text.lines)
        return '"' if whole.count('"') > whole.count("'") else "'"

    def is_backward(self, variable: Variable) -> bool:
        """Whether a variable holds something of the backward pass, now or later: no data, parameter or forward value."""
        return variable.text in self.trial.backward_names

    def is_parameter(self, variable: Variable) -> bool:
        """Whether a variable holds one of the parameters that are checked."""
        origins = {i for m in self.trial.check.measured for i in m.held.tensor.nodes}
        values = (self.trial.replay.base(i) for i in origins)
        return any(is_part(np.asarray(variable.value), np.asarray(v)) for v in values)

    @cached_property
    def writes_dot(self) -> bool:
        """Whether the user writes `.dot(` where others write `@`."""
        whole = "\n".join(self.text.lines)
        return whole.count("dot(") > whole.count(" @ ")

    @cached_property
    def function(self) -> ast.AST:
        """The function that holds the statement, or the module."""
        best: ast.AST = self.tree
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.lineno <= self.place.line <= (
                node.end_lineno or 0
            ):
                if best is self.tree or node.lineno > best.lineno:  # type: ignore[attr-defined]
                    best = node
        return best

    @cached_property
    def local_names(self) -> set[str]:
        """The names in the function, and in those around it, whose variables it may read."""
        return {n.id for n in ast.walk(self._outermost) if isinstance(n, ast.Name)} | {
            a.arg for a in ast.walk(self._outermost) if isinstance(a, ast.arg)
        }

    @property
    def _outermost(self) -> ast.AST:
        """The function around all functions that hold the statement, or the module."""
        held = [n for n in ast.walk(self.tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
        return next((n for n in held if n.lineno <= self.place.line <= (n.end_lineno or 0)), self.tree)

    def is_near(self, text: str) -> bool:
        """Whether what a variable's text begins with is named in the function."""
        return re.split(r"[.\[]", text)[0] in self.local_names

    @cached_property
    def arrays(self) -> list[Variable]:
        return [v for v in self.variables if isinstance(v.value, np.ndarray) and v.value.ndim and v.value.dtype.kind in "fib"]

    @cached_property
    def scalars(self) -> list[Variable]:
        return [v for v in self.variables if np.ndim(v.value) == 0 and not isinstance(v.value, (bool, np.bool_))]

    def of_shape(self, shape: tuple[int, ...]) -> list[Variable]:
        """Arrays of a shape, or all scalars."""
        if shape == ():
            return self.scalars
        return [v for v in self.arrays if v.shape == shape]

    @cached_property
    def functions(self) -> dict[str, Any]:
        """The user's own functions in scope, by name."""
        found = {k: v for k, v in self.moment.namespace.items() if isinstance(v, FunctionType)}
        return {k: v for k, v in found.items() if v.__code__.co_filename in (self.place.path,) or v.__module__ == "__main__"}

    @cached_property
    def numpy(self) -> str | None:
        """What the user calls NumPy."""
        for name, value in self.moment.namespace.items():
            if isinstance(value, ModuleType) and value is np:
                return name
        return None

    @cached_property
    def constants(self) -> list[float]:
        """Small positive numbers that stand in the program, such as the slope of a leaky ReLU."""
        found = {
            float(n.value)
            for n in ast.walk(self.tree)
            if isinstance(n, ast.Constant) and type(n.value) is float and 0 < n.value < 1
        }
        return sorted(found)[:6]

    @property
    def span_statement(self) -> ast.stmt:
        """The statement as it stands in the file."""
        if self.origin is not None:
            return self.origin
        if self.place.part is None:
            return self.statement
        return next(
            (
                n
                for n in ast.walk(self.tree)
                if isinstance(n, ast.stmt) and (n.lineno, n.col_offset) == (self.place.line, self.place.column)
            ),
            self.statement,
        )

    @property
    def value_node(self) -> ast.expr | None:
        """The expression that the statement assigns, adds or returns."""
        value = getattr(self.statement, "value", None)
        return value if isinstance(value, ast.expr) else None


def is_number(value: Any) -> bool:
    """Whether a value is a number or an array of numbers."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fiub" and value.size > 0
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
