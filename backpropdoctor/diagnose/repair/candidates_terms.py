"""A term that is missing: another path of the same value, a branch, the weight decay."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .candidate import Candidate
from .candidates_factors import places
from .scene import Scene


def terms(scene: Scene) -> Iterator[Candidate]:
    """Another value in scope added to the whole or taken from it."""
    for node, extra in places(scene):
        if extra:
            continue
        shape = scene.shape(node)
        if shape is None:
            continue
        text = scene.text.of(node)
        for v in scene.of_shape(shape):
            for sign in "+-":
                cost = 1.8 if sign == "+" else 1.9
                words = {"term": v.text, "sign": sign}
                yield Candidate(
                    cost + (0.0 if _near(scene, v.text) else 0.2),
                    node,
                    f"{text} {sign} {v.text}",
                    "missing-term",
                    words,
                )
        if shape:
            yield from _decay(scene, node, text, shape)
    yield from inner_terms(scene)
    yield from products(scene)


def products(scene: Scene) -> Iterator[Candidate]:
    """A matrix product of two variables added: another path that leads through a weight."""
    for part in scene.parts:
        node = part.node
        if part.stored or part.in_index or part.is_function or isinstance(node, (ast.Constant, ast.Name)):
            continue
        if node is not scene.value_node and not isinstance(part.parent, (ast.BinOp, ast.Call)):
            continue
        shape = scene.shape(node)
        if not shape or len(shape) > 2:
            continue
        text = scene.text.of(node)
        for new, name in _products(scene, shape):
            words = {"term": new, "sign": "+", "path": name}
            yield Candidate(2.5, node, f"{text} + {new}", "missing-term", words)


def _products(scene: Scene, shape: tuple[int, ...]) -> list[tuple[str, str]]:
    cache = scene.__dict__.setdefault("_products", {})
    if shape not in cache:
        there = {n.id for n in ast.walk(scene.statement) if isinstance(n, ast.Name)}
        cache[shape] = sorted(_made(scene, shape), key=lambda row: _surprise(row, there))[:60]
    return cache[shape]


def _surprise(row: tuple[str, str], there: set[str]) -> tuple[bool, int]:
    """How unlikely a product is the missing one: names that do not go together (do, Wo), names that are there already."""
    left, right = re.findall(r"[A-Za-z_]\w*", row[0].replace(".dot", "").replace(".T", ""))[:2]
    return left[-1].lower() != right[-1].lower(), (left in there) + (right in there)


def _made(scene: Scene, shape: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    matrices = [v for v in scene.arrays if len(v.shape) == 2 and v.text.split(".")[0].split("[")[0] in scene.local_names]
    backward = [v for v in scene.arrays if _near(scene, v.text) and scene.is_backward(v)]
    for v in backward[:16]:
        for w in matrices[:24]:
            if w.text == v.text or scene.is_backward(w):
                continue
            for a, b in ((v.shape, w.shape), (v.shape, w.shape[::-1])):
                tail = "" if b is w.shape else ".T"
                if a and a[-1] == b[0] and (*a[:-1], b[1]) == shape:
                    yield f"{v.text}.dot({w.text}{tail})" if scene.writes_dot else f"{v.text} @ {w.text}{tail}", v.text
                if a and len(b) == 2 and b[1] == a[0] and (b[0], *a[1:]) == shape:
                    yield (f"{w.text}{tail}.dot({v.text})" if scene.writes_dot else f"{w.text}{tail} @ {v.text}"), v.text


def _near(scene: Scene, text: str) -> bool:
    return text.split(".")[0].split("[")[0] in scene.local_names


def _decay(scene: Scene, node: ast.expr, text: str, shape: tuple[int, ...]) -> Iterator[Candidate]:
    """A small number times a weight."""
    small = [v for v in scene.scalars if isinstance(v.value, float) and 0 < abs(v.value) < 10 and v.text.isidentifier()]
    for v in scene.of_shape(shape)[:40]:
        if not scene.is_parameter(v):
            continue
        for c in small[:8]:
            for new in (f"{c.text} * {v.text}", f"2 * {c.text} * {v.text}"):
                words = {"term": new, "sign": "+", "decay": True}
                yield Candidate(2.0 + 0.1 * new.startswith("2"), node, f"{text} + {new}", "missing-term", words)


def inner_terms(scene: Scene) -> Iterator[Candidate]:
    """A value added to a factor inside the statement, such as `(dy @ W.T + dh_next) * (1 - h ** 2)`."""
    whole = scene.value_node
    for part in scene.parts:
        node = part.node
        if node is whole or part.stored or part.in_index or part.is_function:
            continue
        if not isinstance(part.parent, (ast.BinOp, ast.Call)) or isinstance(node, ast.Constant):
            continue
        shape = scene.shape(node)
        if not shape:
            continue
        for v in scene.of_shape(shape)[:20]:
            for sign in "+-":
                new = f"{scene.text.of(node)} {sign} {v.text}"
                cost = 2.3 + (0.0 if _near(scene, v.text) else 0.2)
                yield Candidate(cost, node, new, "missing-term", {"term": v.text, "sign": sign})
