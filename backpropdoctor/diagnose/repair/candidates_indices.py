"""Other indices and keys in the place of those that stand there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from .candidate import Candidate
from .expression import bound_names
from .scene import Scene, is_number

_BY_PLACE = ("delete", "insert", "take", "roll")  # functions whose second argument says where, or by how many places


def indices(scene: Scene) -> Iterator[Candidate]:
    """Indices one up and one down, other names and other axes in an index."""
    bound = bound_names(scene.statement)
    for part in scene.parts:
        node = part.node
        if not part.stored:
            yield from _exchanged(scene, node)
        yield from _rows(scene, node)
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
            for new in shifted(node, text):
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


def _rows(scene: Scene, node: ast.AST) -> Iterator[Candidate]:
    """The number of each row where all rows stand beside a place for each: `p[np.arange(len(y)), y]` for `p[:, y]`."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Tuple) or len(node.slice.elts) != 2:
        return
    every, places = node.slice.elts
    value = scene.value(places)
    if not _is_every(every) or not isinstance(value, np.ndarray) or value.ndim != 1 or value.dtype.kind not in "iu":
        return
    known = dict.fromkeys(row for n in scene.walked for row in _picked(n))
    for new in [*known, f"range(len({ast.unparse(places)}))"]:
        numbers = scene.evaluate(f"list({new})") if not is_number(scene.evaluate(new)) else scene.evaluate(new)
        if np.shape(numbers) == value.shape:
            yield Candidate(1.05, every, new, "wrong-index", {"was": ":", "now": new})
            return


def _picked(node: ast.AST) -> list[str]:
    """The row numbers with which one element of each row is read: `range(n)` in `p[range(n), y]`."""
    pair = node.slice.elts if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) else []
    picks = len(pair) == 2 and isinstance(pair[0], (ast.Call, ast.Name)) and isinstance(pair[1], (ast.Name, ast.Attribute))
    return [ast.unparse(pair[0])] if picks else []


def _is_every(node: ast.expr) -> bool:
    return isinstance(node, ast.Slice) and node.lower is None and node.upper is None and node.step is None


def _is_bound(node: ast.expr, bound: set[str]) -> bool:
    """Whether an expression is made of the variables of a comprehension and of numbers."""
    names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return bool(names & bound) and isinstance(node, (ast.Name, ast.BinOp, ast.UnaryOp))


def _counts(part: Any) -> bool:
    """Whether a part is an argument of str() in a key, of range(), or the place that np.delete() leaves out."""
    call = part.parent
    if not isinstance(call, ast.Call) or call.func is part.node:
        return False
    if isinstance(call.func, ast.Name):
        return call.func.id in ("str", "range")
    return isinstance(call.func, ast.Attribute) and call.func.attr in _BY_PLACE and part.node in call.args[1:2]


def shifted(node: ast.expr, text: str) -> list[str]:
    """An index one up and one down, as a person writes it."""
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
    if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Constant) and type(node.left.value) is int:
        if isinstance(node.op, (ast.Add, ast.Sub)):
            sign, right, now = "-" if isinstance(node.op, ast.Sub) else "+", ast.unparse(node.right), node.left.value
            return [f"{k} {sign} {right}" if k else f"{sign.strip('+')}{right}" for k in (now + 1, now - 1)]
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
