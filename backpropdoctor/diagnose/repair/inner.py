"""Gradients that an update makes on the way, `W -= lr * (X.T @ d)`: the expression is edited as a statement of its own."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import replace

from ...tape.tape import Node, Tape
from .capture import Moment, Place


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


def _assignment(expression: ast.expr) -> ast.stmt:
    made = ast.Assign([ast.Name("__value__", ast.Store())], expression)
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
