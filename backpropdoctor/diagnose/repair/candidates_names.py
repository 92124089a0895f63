"""Another variable or number in the place of one that stands there."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from .candidate import Candidate
from .expression import Part, Text, bound_names
from .scene import Scene, Variable

_PATH = (ast.Name, ast.Attribute, ast.Subscript)
_FAR = 0.4  # how much less simple it is that a variable which the function does not name stands for an expression
_READ_ELSEWHERE = 0.25  # how much less simple it is that names were unpacked in the wrong order which others read as well


def other_names(scene: Scene) -> Iterator[Candidate]:
    """Every variable of a fitting shape in the place of a variable, or of an expression."""
    for part in scene.parts:
        node = part.node
        if part.stored or part.is_function or isinstance(node, ast.Constant):
            continue
        path = isinstance(node, _PATH)
        shape = scene.shape(node)
        if shape is None or (part.in_index and shape == ()) or not (path or shape):
            continue
        text, seen = scene.text.of(node), ast.unparse(node)
        scales = shape == () and _is_scale(part)
        for v, extra in _fitting(scene, shape, path):
            if not _same_text(v.text, seen):
                kind = (
                    "scaled" if scales and not _are_numbers_of_the_net(scene, scene.value(node), v.value) else "wrong-variable"
                )
                far = 0.0 if path or scene.is_near(v.text) else _FAR
                cost = (1.2 if path else 1.5) + extra + far + _distance(text, v.text)
                yield Candidate(cost, node, v.text, kind, {"was": text, "now": v.text})


def _are_numbers_of_the_net(scene: Scene, *values: Any) -> bool:
    """Whether floats are exchanged where all is made of numbers: these are its weights and values, not scales of an array."""
    whole = scene.value_node
    return whole is not None and scene.shape(whole) == () and all(isinstance(v, (float, np.floating)) for v in values)


def renamed(scene: Scene) -> Iterator[Candidate]:
    """A variable that an expression reads twice, exchanged for another one in both places: `a * (1 - a)`."""
    for part in scene.parts:
        node = part.node
        if not isinstance(node, ast.BinOp) or part.in_index or scene.shape(node) is None:
            continue
        paths = [n for n in ast.walk(node) if isinstance(n, _PATH) and scene.shape(n)]
        texts = [ast.unparse(n) for n in paths]
        for text in dict.fromkeys(t for t in texts if texts.count(t) > 1):
            for side in (node.left, node.right):  # the smallest expression that holds them all
                if [ast.unparse(n) for n in ast.walk(side) if isinstance(n, _PATH)].count(text) == texts.count(text):
                    break
            else:
                shape = scene.shape(paths[texts.index(text)]) or ()
                for v, extra in _fitting(scene, shape, True):
                    if not _same_text(v.text, text):
                        new = _substituted(node, text, v.text)
                        words = {"was": text, "now": v.text, "both": True}
                        yield Candidate(1.3 + extra + _distance(text, v.text), node, new, "wrong-variable", words)


def _substituted(node: ast.expr, old: str, new: str) -> str:
    fresh = ast.parse(new, mode="eval").body
    memo = {id(n): fresh for n in ast.walk(node) if isinstance(n, _PATH) and ast.unparse(n) == old}
    return ast.unparse(copy.deepcopy(node, memo))


def swapped(scene: Scene) -> Iterator[Candidate]:
    """Two names unpacked in the wrong order: `a, b = cache` read as `b, a = cache`."""
    if scene.within is not None or scene.place.part is not None:
        return
    names = {n.id for n in ast.walk(scene.statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    for node in ast.walk(scene.function):
        if not isinstance(node, ast.Assign) or len(node.targets) != 1 or node.lineno >= scene.place.line:
            continue
        target = node.targets[0]
        if not isinstance(target, ast.Tuple) or not all(isinstance(e, ast.Name) for e in target.elts):
            continue
        ids = [e.id for e in target.elts]  # type: ignore[attr-defined]
        for i in range(len(ids)):
            for j in range(i + 1, len(ids)):
                if not names & {ids[i], ids[j]}:
                    continue
                row = ids[:]
                row[i], row[j] = row[j], row[i]
                exchange = {ids[i]: ids[j], ids[j]: ids[i]}
                statement = copy.deepcopy(scene.statement)
                for n in ast.walk(statement):
                    if isinstance(n, ast.Name) and n.id in exchange:
                        n.id = exchange[n.id]
                text = Text(node, scene.place.path)
                fixes = (text.fix(target, ", ".join(row)),)
                words = {"was": ", ".join(ids), "now": ", ".join(row), "at": node.lineno}
                others = _read_after(scene, node, {ids[i], ids[j]})
                cost = 1.25 + (_READ_ELSEWHERE if others else 0.0)  # what else reads them would be wrong as well
                yield Candidate(cost, scene.statement, ", ".join(row), "wrong-variable", words, {}, fixes, statement)


def _read_after(scene: Scene, unpacked: ast.Assign, names: set[str]) -> bool:
    """Whether a statement of the function beside the one looked at reads one of the names that were unpacked."""
    own = (scene.place.line, scene.statement.end_lineno or scene.place.line)
    return any(
        isinstance(n, ast.Name) and n.id in names and isinstance(n.ctx, ast.Load) and not own[0] <= n.lineno <= own[1]
        for n in ast.walk(scene.function)
        if getattr(n, "lineno", 0) > (unpacked.end_lineno or unpacked.lineno)
    )


def _fitting(scene: Scene, shape: tuple[int, ...], path: bool) -> Iterator[tuple[Variable, float]]:
    """Variables of that shape; for an array also those that differ by axes of length one, and those of as many axes."""
    squeezed = tuple(n for n in shape if n != 1)
    for v in scene.of_shape(shape):
        yield v, 0.0
    if not shape:
        return
    for v in scene.arrays:
        if v.shape != shape and tuple(n for n in v.shape if n != 1) == squeezed:
            yield v, 0.0
        elif path and len(v.shape) == len(shape) and v.shape != shape and scene.is_near(v.text):
            yield v, 0.15


def _is_scale(part: Part) -> bool:
    return isinstance(part.parent, ast.BinOp) and isinstance(part.parent.op, (ast.Mult, ast.Div))


def _same_text(a: str, b: str) -> bool:
    return a.replace('"', "'") == b.replace('"', "'")


def _distance(a: str, b: str) -> float:
    """Names that look alike are likelier to have been mixed up; at most 0.1."""
    same = sum(x == y for x, y in zip(a, b, strict=False))
    return 0.1 * (1 - same / max(len(a), len(b), 1)) + (0.2 if "[" in b and "[" not in a or "." in b and "." not in a else 0)


def inside(scene: Scene) -> Iterator[Candidate]:
    """One variable of a comprehension in the place of another, or as a factor that is missing."""
    bound = bound_names(scene.statement)
    for part in scene.parts:
        node = part.node
        if part.stored or part.is_function or not bound:
            continue
        if isinstance(node, ast.Name) and node.id in bound:
            for name in sorted(bound - {node.id}):
                yield Candidate(1.25, node, name, "wrong-variable", {"was": node.id, "now": name})
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        if isinstance(node, (ast.Name, ast.BinOp, ast.Subscript)) and names & bound and not part.in_index:
            for name in sorted(bound - names):
                words = {"factor": name, "missing": True}
                yield Candidate(1.9, node, f"{scene.text.wrapped(node)} * {name}", "missing-factor", words)
                for index in sorted(bound - {name}):
                    item = f"{name}[{index}]"
                    words = {"factor": item, "missing": True}
                    yield Candidate(2.0, node, f"{scene.text.wrapped(node)} * {item}", "missing-factor", words)


def numbers(scene: Scene) -> Iterator[Candidate]:
    """Other numbers in the place of a number."""
    for part in scene.parts:
        node = part.node
        if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
            continue
        if part.in_index and not isinstance(part.parent, (ast.Compare, ast.UnaryOp)):
            continue
        if not isinstance(node.value, (int, float)) or isinstance(part.parent, ast.keyword):
            continue
        c = node.value
        power = isinstance(part.parent, ast.BinOp) and isinstance(part.parent.op, ast.Pow)
        choices = [c + 1, c - 1, 1, 2, 0, -c, 0.5] if not power else [c + 1, c - 1]
        factor = isinstance(part.parent, ast.BinOp) and isinstance(part.parent.op, (ast.Mult, ast.Div))
        for new in dict.fromkeys(choices):
            if new != c and not (factor and new == 0):  # which mends nothing, and does away with what is wrong
                kind = "wrong-derivative-function" if power or part.in_index else "sign" if new == -c else "scaled"
                yield Candidate(1.1, node, f"{new:g}", kind, {"was": f"{c:g}", "now": f"{new:g}"})
        if power:
            continue
        for value in scene.constants:
            if value != c:
                yield Candidate(1.3, node, repr(value), "scaled", {"was": f"{c:g}", "now": repr(value)})
        for v in scene.scalars:
            if v.text.isidentifier():
                yield Candidate(1.4, node, v.text, "scaled", {"was": f"{c:g}", "now": v.text})
