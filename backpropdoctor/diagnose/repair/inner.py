"""Parts of statements that are edited as statements of their own.

Gradients that an update makes on the way, `W -= lr * (X.T @ d)`; what a blamed call hands to a function, which reads it
under another name.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import replace

from ...tape.tape import Node, Ref, Site, Tape
from .capture import Moment, Place
from .renamed import ARGUMENT


def with_inner(
    moments: dict[Place, list[Moment]], statements: dict[Place, ast.stmt], tape: Tape, finals: Collection[int]
) -> None:
    """Add to both tables the expressions inside the statements whose values are the gradients `finals`."""
    for place in list(statements):
        named = {n for m in moments[place] for _, n in m.outs}
        for index in finals:
            node = tape.nodes[index]
            if index in named or not _stands_in(node, place):
                continue
            expression = node.site.node  # type: ignore[union-attr]
            if not isinstance(expression, ast.expr):
                continue
            inner = replace(place, part=(expression.lineno, expression.col_offset, expression.end_col_offset or 0))
            if inner not in statements:
                statements[inner] = _assignment(expression)
                moments[inner] = _moments(moments[place], tape, place, inner)


def _stands_in(node: Node, place: Place) -> bool:
    return node.site is not None and Place.of(node.site) == place


def _assignment(expression: ast.expr, name: str = "__value__") -> ast.stmt:
    made = ast.Assign([ast.Name(name, ast.Store())], expression)
    return ast.copy_location(made, expression)


def _moments(outer: list[Moment], tape: Tape, place: Place, inner: Place) -> list[Moment]:
    found = []
    for moment in outer:
        for node in tape.nodes[moment.at : moment.until]:
            expression = node.site.node if _stands_in(node, place) and node.site is not None else None
            if isinstance(expression, ast.expr) and inner.part == (
                expression.lineno,
                expression.col_offset,
                expression.end_col_offset,
            ):
                found.append(replace(moment, outs=[("__value__", node.index)]))
    return found


def with_arguments(
    moments: dict[Place, list[Moment]], statements: dict[Place, ast.stmt], tape: Tape, sites: Collection[Site]
) -> None:
    """Add to both tables the variables that calls at some `sites` hand on: an edit gives what is called another one."""
    calls = {scope.call.id for scope in tape.scopes.values() if scope.call is not None}
    for site in sites:
        place = Place.of(site)
        if site.id not in calls or not isinstance(site.node, ast.Call) or place not in moments:
            continue
        for argument in [*site.node.args, *(k.value for k in site.node.keywords)]:
            if not isinstance(argument, ast.Name):
                continue
            rows = [(m, m.locals.get(argument.id, m.globals.get(argument.id))) for m in moments[place]]
            found = [replace(m, outs=[(ARGUMENT, held.index)]) for m, held in rows if isinstance(held, Ref)]
            if found:
                inner = replace(place, part=(argument.lineno, argument.col_offset, argument.end_col_offset or 0))
                statements[inner], moments[inner] = _assignment(argument, ARGUMENT), found
