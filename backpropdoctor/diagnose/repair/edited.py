"""A statement with new text, made ready and run on what it saw when the script ran."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import CodeType
from typing import Any

import numpy as np

from .capture import Moment, Place
from .world import Maker


class Misfit(Exception):
    """An edit cannot be evaluated."""


@dataclass(slots=True)
class Edited:
    """A statement with new text, ready to run. `names` are what it reads; `redirect` gives it other nodes for some nodes."""

    place: Place
    statement: ast.stmt
    code: CodeType
    names: tuple[str, ...]
    in_place: bool
    redirect: Mapping[int, int] = field(default_factory=dict)


def prepare(place: Place, statement: ast.stmt, redirect: Mapping[int, int] | None = None) -> Edited:
    """A statement made ready to run on kept values."""
    node: ast.stmt = statement
    if isinstance(statement, ast.Return):
        target = ast.copy_location(ast.Name("__returned__", ast.Store()), statement)
        value = statement.value or ast.copy_location(ast.Constant(None), statement)
        node = ast.copy_location(ast.Assign([target], value), statement)
    in_place = not isinstance(statement, (ast.Return, ast.Assign)) or (
        isinstance(statement, ast.Assign) and any(isinstance(n, ast.Subscript) for t in statement.targets for n in ast.walk(t))
    )
    code = _compiled(node)
    return Edited(place, statement, code, tuple(dict.fromkeys(names_of(code))), in_place, redirect or {})


def _compiled(node: ast.stmt) -> CodeType:
    try:
        return compile(ast.Module([node], []), "<edit>", "exec")
    except (TypeError, ValueError):  # a part that was made, not parsed, has no place yet
        return compile(ast.Module([ast.fix_missing_locations(node)], []), "<edit>", "exec")


def names_of(code: CodeType) -> Iterator[str]:
    """The names that compiled code may look up, those of comprehensions and lambdas in it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_of(constant)


def run_edited(edited: Edited, moment: Moment, value_of: Callable[[int], Any]) -> list[Any]:
    """What the statement makes in one moment: the values of `moment.outs`. Raises Misfit."""
    for copies in (True,) if edited.in_place else (False, True):
        try:
            return _run(edited, moment, value_of, copies)
        except Exception as error:
            if copies or "read-only" not in str(error):
                raise Misfit(f"{type(error).__name__}: {error}") from error
    raise AssertionError


def _run(edited: Edited, moment: Moment, value_of: Callable[[int], Any], copies: bool) -> list[Any]:
    redirect = edited.redirect
    maker = Maker((lambda i: value_of(redirect.get(i, i))) if redirect else value_of, copies)
    space: dict[str, Any] = {"__builtins__": builtins}
    for name in edited.names:
        frozen = moment.locals.get(name, moment.globals.get(name))
        if frozen is not None:
            space[name] = maker.make(frozen)
        elif name in moment.namespace:
            space[name] = moment.namespace[name]
    with np.errstate(all="ignore"):
        exec(edited.code, space)
        return [eval(_reader(reader), space) for reader, _ in moment.outs]


@cache
def _reader(text: str) -> CodeType:
    return compile(text, "<reader>", "eval")
