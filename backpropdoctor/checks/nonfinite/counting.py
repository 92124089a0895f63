"""Which of the loops around a step counts the steps: not one that goes over layers, parameters or moments of time."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import lru_cache

from ...tape.tape import Site
from .changes import own_targets


def counting(loops: Sequence[Site]) -> Site:
    """The innermost loop that is no part of a step; `loops` are those of one frame, outermost first."""
    k = len(loops) - 1
    while k > 0 and part_of_a_step(loops[k].node, loops[k - 1].node):
        k -= 1
    return loops[k]


@lru_cache(maxsize=256)
def part_of_a_step(inner: ast.AST, outer: ast.AST) -> bool:
    """Whether all that `inner` changes is one piece an iteration (`W[l] -= …`), or sums that `outer` begins anew and uses."""
    if not isinstance(inner, (ast.For, ast.While)) or not isinstance(outer, (ast.For, ast.While)):
        return False
    counters = _names(inner.target) if isinstance(inner, ast.For) else set()
    targets = [t for node in ast.walk(inner) for t in own_targets(node)]
    whole = [t for t in targets if not _is_piece(t, counters)]
    sums = {_root(t) for t in whole}
    return bool(targets) and (not sums or (sums <= _begun(outer, inner) and _used(outer, inner, sums)))


def _is_piece(target: ast.expr, counters: set[str]) -> bool:
    while isinstance(target, ast.Subscript):
        if _names(target.slice) & counters:
            return True
        target = target.value
    return bool(_names(target) & counters)


def _root(target: ast.expr) -> str:
    while isinstance(target, ast.Subscript):
        target = target.value
    return ast.unparse(target)


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _outside(node: ast.AST, inner: ast.AST) -> Iterator[ast.AST]:
    """The nodes below `node` that are not in `inner`."""
    for child in ast.iter_child_nodes(node):
        if child is not inner:
            yield child
            yield from _outside(child, inner)


def _begun(outer: ast.AST, inner: ast.AST) -> set[str]:
    """What the outer loop sets to a value that has nothing to do with its old one."""
    found: set[str] = set()
    for node in _outside(outer, inner):
        if isinstance(node, ast.Assign) and not own_targets(node):
            found |= {ast.unparse(t) for target in node.targets for t in getattr(target, "elts", [target])}
    return found


def _used(outer: ast.AST, inner: ast.AST, sums: set[str]) -> bool:
    """Whether an update in the outer loop reads one of the sums, or runs in a loop over them."""
    for node in _outside(outer, inner):
        read = {ast.unparse(n) for n in ast.walk(node) if isinstance(n, (ast.Name, ast.Attribute))}
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.For)) and read & sums:
            if any(own_targets(n) for n in ast.walk(node)):
                return True
    return False
