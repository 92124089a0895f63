"""A statement with its operands' own assignments put in, so that these can be edited as if they stood in it."""

from __future__ import annotations

import ast
import copy
from collections.abc import Collection, Iterator

from .scene import Scene


def inlined(scene: Scene, done: Collection[int], depth: int = 2) -> Iterator[Scene]:
    """For each variable the statement reads: the statement with that variable's assignment in its place.

    Assignments on the lines `done` are left out; they are edited where they stand. The values that the assignment read
    have to be the same at the statement; the run of the edited program tells.
    """
    shared = _read_forward(scene)
    names = {n.id: n for n in ast.walk(scene.statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    for name in names:
        if name in shared:
            continue  # with it the loss would change
        assignment = _assignment(scene, name)
        if assignment is None or assignment.lineno in done or assignment.lineno in scene.trial.forward_lines(scene.place):
            continue
        memo = {
            id(n): assignment.value
            for n in ast.walk(scene.statement)
            if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)
        }
        statement = copy.deepcopy(scene.statement, memo)
        inner = Scene(scene.trial, scene.place, statement, beside=scene)
        inner.origin = assignment
        inner.within = frozenset(id(n) for n in ast.walk(assignment.value))
        if inner.value_node is None:
            continue
        yield inner
        if depth > 1:
            yield from inlined(inner, {*done, assignment.lineno}, depth - 1)


def _read_forward(scene: Scene) -> set[str]:
    """The variables of the function that its lines of the forward pass read."""
    lines = scene.trial.repeated_forward.get(scene.place.path, set())
    inside = (s for s in ast.walk(scene.function) if isinstance(s, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr)))
    read = (n for s in inside if s.lineno in lines for n in ast.walk(s))
    return {n.id for n in read if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _assignment(scene: Scene, name: str) -> ast.Assign | None:
    """The last assignment of a variable in the lines above the statement, in the same function."""
    line = scene.origin.lineno if scene.origin is not None else scene.place.line
    best: ast.Assign | None = None
    for node in ast.walk(scene.function):
        if not isinstance(node, ast.Assign) or node.lineno >= line or len(node.targets) != 1:
            continue
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id == name and (best is None or node.lineno > best.lineno):
            best = node
    if best is None or any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(best.value)):
        return None
    return None if isinstance(best.value, (ast.Constant, ast.ListComp, ast.Lambda)) else best
