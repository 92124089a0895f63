"""What is in scope at each statement of a program: names with their values, read from a run of the healthy script."""

from __future__ import annotations

import ast
import contextlib
import io
import types
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from programs import Program
from programs.measure import Stop

VISITS = 3  # of one statement: the first ones, so that loops show more than their first round
_MODULES = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type)


@dataclass(slots=True)
class Scope:
    """The arrays and numbers a statement could read, by the text that names them ('W1', 'self.x', "grads['dW1']")."""

    values: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)  # of the dictionaries in scope
    targets: tuple[str, ...] = ()  # what the data are fitted to
    loops: frozenset[str] = frozenset()  # the names that loops count with

    def shape(self, text: str) -> tuple[int, ...] | None:
        """The shape of a value in scope, () for a number, None if the text names nothing."""
        value = self.values.get(text)
        return None if value is None else np.shape(value)

    def alike(self, text: str) -> list[str]:
        """Other names of the same shape whose values differ, arrays only."""
        shape = self.shape(text)
        if not shape:
            return []
        mine = self.values[text]
        return [
            name
            for name, value in self.values.items()
            if name != text and np.shape(value) == shape and not np.array_equal(value, mine)
        ]

    def counts(self) -> list[str]:
        """Names of whole numbers above 1 that no loop counts with: the number of samples, of classes, …"""
        return [n for n, v in self.values.items() if isinstance(v, int) and v > 1 and n not in self.loops]


def statements(tree: ast.AST, ranges: tuple[tuple[int, int], ...]) -> list[tuple[ast.stmt, list[ast.stmt], int]]:
    """The one-line statements within the line ranges, each with the block that holds it and its place there."""
    found = []
    for node in ast.walk(tree):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if not isinstance(block, list):
                continue
            for i, s in enumerate(block):
                simple = isinstance(s, (ast.Assign, ast.AugAssign, ast.Return, ast.Expr)) and s.lineno == s.end_lineno
                if simple and any(a <= s.lineno <= b for a, b in ranges):
                    found.append((s, block, i))
    return sorted(found, key=lambda entry: (entry[0].lineno, entry[0].col_offset))


def scopes(program: Program) -> dict[int, Scope]:
    """For the line of each backward statement what is in scope there, at its `VISITS`th visit or the last one."""
    tree = ast.parse(program.source)
    for statement, block, _ in statements(tree, program.backward):
        probe = ast.parse(f"__look__({statement.lineno}, globals(), locals())").body[0]
        ast.copy_location(probe, statement)
        ast.fix_missing_locations(probe)
        block.insert(block.index(statement), probe)
    targets = tuple(v for k, v in (program.start | program.end).items() if k in ("y", "t")) + ("y",)
    loops = {n.id for f in ast.walk(tree) if isinstance(f, (ast.For, ast.comprehension)) for n in _names(f.target)}
    found: dict[int, Scope] = {}
    visits: dict[int, int] = {}
    budget = [20_000]

    def look(line: int, outer: dict[str, Any], inner: dict[str, Any]) -> None:
        visits[line] = visits.get(line, 0) + 1
        budget[0] -= 1
        if visits[line] <= VISITS:
            found[line] = _read({**outer, **inner})
            found[line].targets = tuple(dict.fromkeys(t for t in targets if t in found[line].values))
            found[line].loops = frozenset(loops)
        if budget[0] < 0 or min(visits.values()) > 2 * VISITS:
            raise Stop

    space = {"__name__": "__main__", "__file__": str(program.path), "__look__": look}
    with contextlib.suppress(Stop), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(tree, str(program.path), "exec"), space)
    return found


def _names(target: ast.expr) -> list[ast.Name]:
    return [n for n in ast.walk(target) if isinstance(n, ast.Name)]


def _read(names: dict[str, Any]) -> Scope:
    scope = Scope()
    for name, value in names.items():
        if name.startswith("__") or isinstance(value, _MODULES):
            continue
        _add(scope, name, value)
        if isinstance(value, dict):
            keys = [k for k in value if isinstance(k, str)]
            scope.keys[name] = keys
            for key in keys:
                _add(scope, f"{name}['{key}']", value[key])
        elif hasattr(value, "__dict__") and name == "self":
            for key, item in vars(value).items():
                _add(scope, f"{name}.{key}", item)
                if isinstance(item, dict):
                    inside = {k: v for k, v in item.items() if isinstance(k, str)}
                    scope.keys[f"{name}.{key}"] = list(inside)
                    for k, v in inside.items():
                        _add(scope, f"{name}.{key}['{k}']", v)
    return scope


def _add(scope: Scope, text: str, value: Any) -> None:
    if isinstance(value, (np.ndarray, float, int, np.number)) and not isinstance(value, bool):
        scope.values[text] = np.array(value) if isinstance(value, np.ndarray) else value
