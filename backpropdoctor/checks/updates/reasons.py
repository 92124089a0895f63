"""Why a watched parameter never changes, read in the source with the values at hand: nothing here runs the program."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...finding import Explanation, Finding, make_finding
from ...source import Span
from .evaluate import Unknown, attempt, count, spoken
from .names import Parts, ticked
from .statements import Source, Statement, match

Fault = tuple[str, Span, str, str, str]  # code, place, what is said before the names, why, help


def reasons(
    source: Source, parts: Mapping[str, Parts], names: Sequence[str], values: Mapping[str, Any], first_line: int,
    rebound: Mapping[str, str],
) -> list[Finding]:  # fmt: skip
    """One finding for each cause, with the parameters it explains. `first_line` is where the function with the values
    begins.

    `rebound` gives parameters whose container was left behind the name that now holds the new value.
    """
    groups: dict[Fault, list[str]] = {}
    for name in names:
        fault = _fault(source, parts[name], values, first_line, rebound.get(name))
        if fault is not None:
            groups.setdefault(fault, []).append(name)
    return [_finding(fault, group) for fault, group in groups.items()]


def _finding(fault: Fault, names: list[str]) -> Finding:
    code, span, said, why, advice = fault
    many = len(names) > 1
    return make_finding(
        code,
        f"{said}, so {ticked(names)} {'are' if many else 'is'} never updated",
        span=span,
        tensors=tuple(names),
        measured="bitwise the same at the end as at the start",
        explanations=(Explanation(why, "verified"),),
        help=advice,
    )


def _fault(source: Source, parts: Parts, values: Mapping[str, Any], first_line: int, rebound: str | None) -> Fault | None:
    mine = [s for s in source.updates if _in_function(s, first_line)]
    aliases = [rebound] if rebound else []
    here = best_of(mine, parts, aliases)
    statements = here or best_of(source.updates, parts, aliases)
    faults = [f for s in statements if (f := _of_statement(source, s, values, bool(here), rebound))]
    return faults[0] if faults and len(faults) == len(statements) else None


def best_of(statements: Sequence[Statement], parts: Parts, aliases: Sequence[str] = ()) -> list[Statement]:
    """The statements whose target fits a parameter best."""
    found = [(match(s, parts, aliases), s) for s in statements]
    best = max((rank for rank, _ in found), default=0)
    return [s for rank, s in found if rank == best and rank]


def _in_function(statement: Statement, first_line: int) -> bool:
    function = statement.function
    if function is None:
        return first_line <= 1
    start = min([function.lineno, *(d.lineno for d in function.decorator_list)])  # type: ignore[attr-defined]
    return start == first_line


def _of_statement(
    source: Source, statement: Statement, values: Mapping[str, Any], local: bool, rebound: str | None
) -> Fault | None:
    if local:
        for block, branch in statement.blocks:
            fault = _empty(source, block, branch, values)
            if fault is not None:
                return fault
        zero = zero_factor(statement, values)
        if zero is not None:
            said = f"the step is multiplied by `{ast.unparse(zero)}`, which is 0"
            return (
                "BD307",
                source.span(statement.node),
                said,
                "a step of zero changes nothing",
                "set it to a positive number",
            )
    return _rebinding(source, statement, rebound)


def _empty(source: Source, block: ast.AST, branch: str, values: Mapping[str, Any]) -> Fault | None:
    if not isinstance(block, (ast.For, ast.AsyncFor)) or branch != "body" or count(attempt(block.iter, values)) != 0:
        return None
    known = spoken(block.iter, values)
    said = f"`{source.header(block)}` runs over nothing" + (f" ({known})" if known else "")
    return "BD301", source.header_span(block), said, "the loop that updates has no iterations", _RANGE_HELP


_RANGE_HELP = "let the loop run over every layer: `range(n)` ends at n - 1"


def zero_factor(statement: Statement, values: Mapping[str, Any]) -> ast.expr | None:
    """A name or look-up that the whole step is multiplied by and whose value is exactly 0; None where there is none."""
    value = statement.value
    if not isinstance(statement.node, ast.AugAssign) and isinstance(value, ast.BinOp):
        value = value.right
    return _zero_in_product(value, values)


def _zero_in_product(value: ast.expr, values: Mapping[str, Any]) -> ast.expr | None:
    if isinstance(value, ast.UnaryOp):
        return _zero_in_product(value.operand, values)
    if isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Mult, ast.Div)):
        right = value.right if isinstance(value.op, ast.Mult) else None
        for side in (value.left, right):
            found = None if side is None else _zero_in_product(side, values)
            if found is not None:
                return found
        return None
    if isinstance(value, (ast.Name, ast.Attribute, ast.Subscript)):
        known = attempt(value, values)
        if known is not Unknown and isinstance(known, (int, float, np.number)) and not isinstance(known, bool) and known == 0:
            return value
    return None


def _rebinding(source: Source, statement: Statement, rebound: str | None) -> Fault | None:
    """`for w in (W1, W2): w = w - lr * g`, or a name that leaves its container behind."""
    target = statement.target
    if not isinstance(target, ast.Name) or isinstance(statement.node, ast.Expr):
        return None
    if target.id in statement.loop_names and isinstance(statement.node, ast.Assign) and not used_after(statement):
        said = f"`{ast.unparse(statement.node)}` gives the name `{target.id}` a new array and leaves the old one as it is"
        return "BD305", source.span(statement.node), said, "a loop name is not the place it was taken from", _IN_PLACE
    if rebound == target.id:
        said = f"`{ast.unparse(statement.node)}` makes a new array that the container does not see"
        return "BD305", source.span(statement.node), said, f"`{target.id}` and the container part ways", _STORE
    return None


_IN_PLACE = "change the array itself (`-=`), or store the new one where the old one came from"
_STORE = "store the new array in the container, or change the array itself (`-=`)"


def used_after(statement: Statement) -> bool:
    """Whether the loop around a statement reads its target again behind it, and so may store it."""
    loops = [b for b, _ in statement.blocks if isinstance(b, (ast.For, ast.While))]
    if not loops or not isinstance(statement.target, ast.Name):
        return False
    end = statement.node.end_lineno or statement.line
    return any(
        isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id == statement.target.id and n.lineno > end
        for n in ast.walk(loops[-1])
    )
