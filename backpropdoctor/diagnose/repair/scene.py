"""What is in scope where a statement runs: the names a person could have written there, with their values."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import FunctionType, ModuleType
from typing import Any, Generic, TypeVar, overload

import numpy as np

from ...load.pieces import is_part
from .capture import Moment, Place
from .edited import Misfit, prepare, run_edited
from .expression import Part, Text, parts_of
from .relative import relative_paths
from .trial import Trial
from .world import Items, Maker, Thing

_MOST = 400
Known = TypeVar("Known")


@dataclass(frozen=True, slots=True)
class Variable:
    """A readable thing in scope: what to write, and its value."""

    text: str
    value: Any

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(self.value)


class of_place(Generic[Known]):  # noqa: N801 - a property
    """What is known of the place that a statement stands in: worked out once for all statements that are put there."""

    def __init__(self, make: Callable[[Scene], Known]) -> None:
        self.make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, scene: None, owner: type) -> of_place[Known]: ...

    @overload
    def __get__(self, scene: Scene, owner: type) -> Known: ...

    def __get__(self, scene: Scene | None, owner: type) -> of_place[Known] | Known:
        return self if scene is None else scene.once(self.make)


class Scene:
    """A statement at its first relevant moment: its parts with their values, the variables it could read.

    One that is put in the place of another one (`beside`) knows what is known of the place already.
    """

    def __init__(self, trial: Trial, place: Place, statement: ast.stmt, beside: Scene | None = None) -> None:
        self.trial = trial
        self.place = place
        self.statement = statement
        self.text = Text(statement, place.path)
        moments = trial.moments[place]
        self.moment: Moment = moments[-1]  # the first ones may see values that are only set up
        self.origin: ast.stmt | None = None  # the assignment that was put into the statement, if one was
        self.within: frozenset[int] | None = None  # the parts that came from there: the only ones to be edited
        self._values: dict[int, Any] = {}
        self._here: dict[Any, Any] = {}
        shares = beside is not None and beside.moment is self.moment
        self._of_place: dict[Any, Any] = beside._of_place if beside is not None and shares else {}
        self.sizes: dict[int, tuple[int, ...] | None] = {}  # shapes of the statement's parts, by identity

    def here(self, make: Callable[[Scene], Known]) -> Known:
        """What `make` finds out about the statement itself, found once."""
        if make not in self._here:
            self._here[make] = make(self)
        found: Known = self._here[make]
        return found

    def once(self, make: Callable[[Scene], Known]) -> Known:
        """What `make` finds out about the place of the statement, found once."""
        if make not in self._of_place:
            self._of_place[make] = make(self)
        found: Known = self._of_place[make]
        return found

    @property
    def tree(self) -> ast.AST:
        """The file that the statement stands in."""
        return self.walked[0]

    @property
    def walked(self) -> list[ast.AST]:
        """All that stands in the file."""
        known = self.trial.walked
        if self.place.path not in known:
            known[self.place.path] = list(ast.walk(ast.parse("\n".join(self.text.lines))))
        return known[self.place.path]

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
            return self._assigned(ast.parse(f"__value__ = {text}").body[0], moment or self.moment)
        except (SyntaxError, ValueError):
            return None

    def worked_out(self, node: ast.expr) -> Any:
        """The value of an expression that is no text yet; None where it cannot be evaluated."""
        target = ast.Name("__value__", ast.Store())
        return self._assigned(ast.fix_missing_locations(ast.Assign([target], node, lineno=1, col_offset=0)), self.moment)

    def _assigned(self, assignment: ast.stmt, there: Moment) -> Any:
        probe = Moment(there.at, there.locals, there.globals, there.namespace, [("__value__", 0)])
        try:
            return run_edited(prepare(self.place, assignment), probe, self.trial.replay.base)[0]
        except (Misfit, SyntaxError, ValueError):
            return None

    def shape(self, node: ast.expr) -> tuple[int, ...] | None:
        value = self.value(node)
        return np.shape(value) if is_number(value) else None

    def has_long_arrays(self, length: int) -> bool:
        """Whether an array in scope is at least that long along some axis."""
        return self._longest >= length

    @of_place
    def is_flat(self) -> bool:
        """Whether no array in scope has more than two axes."""
        return all(v.value.ndim <= 2 for v in self.arrays)

    @of_place
    def _longest(self) -> int:
        return max((n for v in self.arrays for n in v.shape), default=0)

    @of_place
    def _shapes(self) -> dict[str, tuple[int, ...] | None]:
        return {}

    def known_shape(self, text: str) -> tuple[int, ...] | None:
        """The shape of a variable by its text; None for one that is not in scope."""
        if text not in self._shapes:
            value = self.evaluate(text)
            self._shapes[text] = np.shape(value) if is_number(value) else None
        return self._shapes[text]

    # --- names --------------------------------------------------------------------------------------------------------

    @of_place
    def variables(self) -> list[Variable]:
        """Numbers and arrays in scope, those that are mentioned in the same function first."""
        maker = Maker(self.trial.replay.base, False)
        found: dict[str, Any] = {}
        here = self.local_names
        for scope in (self.moment.locals, self.moment.globals):
            for name, frozen in scope.items():
                if scope is self.moment.globals and (name in self.moment.locals or self.moment.locals and name in self._turned):
                    continue
                self._collect(name, frozen, maker, found, 0)
        for text in relative_paths(self):
            value = self.evaluate(text)
            if is_number(value):
                found[text] = value
        rows = [Variable(t, v) for t, v in found.items() if re.split(r"[.\[]", t)[0] != "_"]
        rows.sort(key=lambda v: (re.split(r"[.\[]", v.text)[0] not in here, bool(re.search(r"\[-?\d+\]", v.text))))
        return rows[:_MOST]

    @of_place
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

    @of_place
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

    @of_place
    def writes_dot(self) -> bool:
        """Whether the user writes `.dot(` where others write `@`."""
        whole = "\n".join(self.text.lines)
        return whole.count("dot(") > whole.count(" @ ")

    @of_place
    def function(self) -> ast.AST:
        """The function that holds the statement, or the module."""
        best: ast.AST = self.tree
        for node in self.walked:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.lineno <= self.place.line <= (
                node.end_lineno or 0
            ):
                if best is self.tree or node.lineno > best.lineno:  # type: ignore[attr-defined]
                    best = node
        return best

    @of_place
    def local_names(self) -> set[str]:
        """The names in the function, and in those around it, whose variables it may read."""
        return {n.id for n in ast.walk(self._outermost) if isinstance(n, ast.Name)} | {
            a.arg for a in ast.walk(self._outermost) if isinstance(a, ast.arg)
        }

    @property
    def _outermost(self) -> ast.AST:
        """The function around all functions that hold the statement, or the module."""
        held = [n for n in self.walked if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
        return next((n for n in held if n.lineno <= self.place.line <= (n.end_lineno or 0)), self.tree)

    @of_place
    def _turned(self) -> set[str]:
        """The names that loops of the module give values to and that no function reads: none is written with these."""
        functions = [n for n in self.walked if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))]
        read = {n.id for f in functions for n in ast.walk(f) if isinstance(n, ast.Name)}
        inside = {id(n) for f in functions for n in ast.walk(f)}
        loops = [n for n in self.walked if isinstance(n, (ast.For, ast.While)) and id(n) not in inside]
        bound = {n.id for f in loops for n in ast.walk(f) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        return bound - read

    def is_near(self, text: str) -> bool:
        """Whether what a variable's text begins with is named in the function."""
        return re.split(r"[.\[]", text)[0] in self.local_names

    @of_place
    def arrays(self) -> list[Variable]:
        return [v for v in self.variables if isinstance(v.value, np.ndarray) and v.value.ndim and v.value.dtype.kind in "fib"]

    @of_place
    def scalars(self) -> list[Variable]:
        return [v for v in self.variables if np.ndim(v.value) == 0 and not isinstance(v.value, (bool, np.bool_))]

    def of_shape(self, shape: tuple[int, ...]) -> list[Variable]:
        """Arrays of a shape, or all scalars."""
        return self.scalars if shape == () else self._by_shape.get(shape, [])

    @of_place
    def _by_shape(self) -> dict[tuple[int, ...], list[Variable]]:
        found: dict[tuple[int, ...], list[Variable]] = {}
        for v in self.arrays:
            found.setdefault(v.shape, []).append(v)
        return found

    @of_place
    def functions(self) -> dict[str, Any]:
        """The user's own functions in scope, by name."""
        found = {k: v for k, v in self.moment.namespace.items() if isinstance(v, FunctionType)}
        return {k: v for k, v in found.items() if v.__code__.co_filename in (self.place.path,) or v.__module__ == "__main__"}

    @of_place
    def numpy(self) -> str | None:
        """What the user calls NumPy."""
        for name, value in self.moment.namespace.items():
            if isinstance(value, ModuleType) and value is np:
                return name
        return None

    @of_place
    def constants(self) -> list[float]:
        """Small positive numbers that stand in the program, such as the slope of a leaky ReLU."""
        found = {
            float(n.value) for n in self.walked if isinstance(n, ast.Constant) and type(n.value) is float and 0 < n.value < 1
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
                for n in self.walked
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
