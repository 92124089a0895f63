"""Another variable, index, key or number in the place of one that stands there."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from .candidate import Candidate
from .expression import Part, Text, bound_names
from .scene import Scene, Variable, is_number

_PATH = (ast.Name, ast.Attribute, ast.Subscript)
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
                cost = (1.2 if path else 1.5) + extra + _distance(text, v.text)
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


def indices(scene: Scene) -> Iterator[Candidate]:
    """Indices one up and one down, other names and other axes in an index."""
    bound = bound_names(scene.statement)
    for part in scene.parts:
        node = part.node
        if not part.stored:
            yield from _exchanged(scene, node)
        if not part.in_index and not _counts(part):
            continue
        value = scene.value(node)
        if value is None and _is_bound(node, bound):
            value = 0  # an index that runs inside the statement
        if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_)):
            text = scene.text.of(node)
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
                for operand in (scene.text.of(node.left), scene.text.of(node.right)):
                    yield Candidate(1.0, node, operand, "wrong-index", {"was": text, "now": operand})
            for new in _shifted(node, text):
                yield Candidate(1.0, node, new, "wrong-index", {"was": text, "now": new})
            if isinstance(node, ast.Name):
                for v in scene.scalars:
                    if isinstance(v.value, (int, np.integer)) and v.text != text and v.text.isidentifier():
                        yield Candidate(1.2, node, v.text, "wrong-index", {"was": text, "now": v.text})
    yield from _keys(scene)


def everywhere(scene: Scene) -> Iterator[Candidate]:
    """A whole number that a statement names more than once, as in `w[c] = w[c] - g`, exchanged for another one throughout."""
    statement = scene.statement
    if scene.within is not None or scene.place.part is not None or not isinstance(statement, (ast.Assign, ast.AugAssign)):
        return
    ids = [n.id for n in ast.walk(statement) if isinstance(n, ast.Name)]
    for name in dict.fromkeys(i for i in ids if ids.count(i) > 1):
        if not isinstance(scene.evaluate(name), (int, np.integer)):
            continue
        for v in scene.scalars:
            if isinstance(v.value, (int, np.integer)) and v.text != name and v.text.isidentifier() and scene.is_near(v.text):
                text = re.sub(rf"(?<![\w.\"']){name}(?![\w\"'])", v.text, scene.text.of(statement))
                yield Candidate(1.25, statement, text, "wrong-index", {"was": name, "now": v.text})


def _exchanged(scene: Scene, node: ast.AST) -> Iterator[Candidate]:
    """Two indices of one array in the other order: `a[:, j, i]` for `a[:, i, j]`."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Tuple):
        return
    texts = [scene.text.of(e) for e in node.slice.elts]
    for i in range(len(texts)):
        for j in range(i + 1, len(texts)):
            if texts[i] != texts[j]:
                row = texts[:]
                row[i], row[j] = row[j], row[i]
                new = f"{scene.text.of(node.value)}[{', '.join(row)}]"
                yield Candidate(1.1, node, new, "wrong-index", {"was": ", ".join(texts), "now": ", ".join(row)})


def _is_bound(node: ast.expr, bound: set[str]) -> bool:
    """Whether an expression is made of the variables of a comprehension and of numbers."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return bool(names & bound) and isinstance(node, (ast.Name, ast.BinOp, ast.UnaryOp))


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


def _counts(part: Any) -> bool:
    """Whether a part is an argument of str() in a key, or of range()."""
    return (
        isinstance(part.parent, ast.Call)
        and isinstance(part.parent.func, ast.Name)
        and part.parent.func.id in ("str", "range")
        and part.parent.func is not part.node
    )


def _shifted(node: ast.expr, text: str) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return [str(node.value + 1), str(node.value - 1)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        number = node.operand.value
        return [str(-number + 1), str(-number - 1)] if isinstance(number, int) else []
    if isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant) and type(node.right.value) is int:
        if isinstance(node.op, (ast.Add, ast.Sub)):
            left = ast.unparse(node.left)
            now = node.right.value if isinstance(node.op, ast.Add) else -node.right.value
            return [left if k == 0 else f"{left} + {k}" if k > 0 else f"{left} - {-k}" for k in (now + 1, now - 1)]
    if isinstance(node, (ast.Name, ast.BinOp)):
        return [f"{text} + 1", f"{text} - 1"]
    return []


def _keys(scene: Scene) -> Iterator[Candidate]:
    """Other keys of the same dictionary, written as the user writes them."""
    for part in scene.parts:
        node = part.node
        if not isinstance(node, ast.Subscript):
            continue
        container = scene.value(node.value)
        if not isinstance(container, dict):
            continue
        was = scene.value(node) if not part.stored else None
        for old, new in _other_keys(scene, node.slice, container):
            yield Candidate(1.1, old, new, "wrong-key", {"was": scene.text.of(node), "value": was, "now": new})


def _other_keys(scene: Scene, key: ast.expr, container: dict[Any, Any]) -> Iterator[tuple[ast.expr, str]]:
    strings = [k for k in container if isinstance(k, str)]
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        for k in strings:
            if k != key.value and is_number(container[k]):
                yield key, scene.quote + k + scene.quote
    prefixes = {re.sub(r"\d+$", "", k) for k in strings}
    for inner in ast.walk(key):
        if inner is not key and isinstance(inner, ast.Constant) and isinstance(inner.value, str) and not _in_fstring(key):
            for prefix in sorted(prefixes - {inner.value}):
                yield inner, scene.quote + prefix + scene.quote


def _in_fstring(key: ast.expr) -> bool:
    return any(isinstance(n, ast.JoinedStr) for n in ast.walk(key))


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
