"""A term that is missing: another path of the same value, a branch, the weight decay."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import numpy as np

from ...tape.algebra import MUL, PRODUCTS, is_any
from .candidate import Candidate
from .candidates_factors import places
from .candidates_missing import means
from .scene import Scene, Variable

_DIGITS = re.compile(r"\d+")


def terms(scene: Scene) -> Iterator[Candidate]:
    """Another value in scope added to the whole or taken from it."""
    for node, extra in places(scene):
        if extra:
            continue
        shape = scene.shape(node)
        if shape is None:
            continue
        text = scene.text.of(node)
        outgrown = scene.trial.outgrown(scene.place)
        for v in [v for size in dict.fromkeys((shape, outgrown or shape)) for v in scene.of_shape(size)]:
            for sign in _signs(scene, node, v):
                cost = 1.8 if sign == "+" else 1.9
                words = {"term": v.text, "sign": sign}
                yield Candidate(
                    cost + (0.0 if scene.is_near(v.text) else 0.2),
                    node,
                    f"{text} {sign} {v.text}",
                    "missing-term",
                    words,
                )
        if shape:
            yield from _decay(scene, node, text, shape)
    yield from inner_terms(scene)
    yield from products(scene)
    yield from quotients(scene)
    yield from rebuilt(scene)


def unread(scene: Scene) -> Iterator[Candidate]:
    """What a comprehension goes through and does not read, added to what it takes: `old + new for old, new in zip(...)`."""
    for part in scene.parts:
        node = part.node
        if not isinstance(node, (ast.ListComp, ast.GeneratorExp)) or len(node.generators) != 1:
            continue
        loop = node.generators[0]
        bound = [n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)]
        read = {n.id for e in (node.elt, *loop.ifs) for n in ast.walk(e) if isinstance(n, ast.Name)}
        for name in bound if read.intersection(bound) and isinstance(node.elt, (ast.Name, ast.Subscript)) else ():
            if name not in read:
                words = {"term": name, "sign": "+"}
                yield Candidate(1.3, node.elt, f"{name} + {scene.text.of(node.elt)}", "missing-term", words)


def _signs(scene: Scene, node: ast.expr, term: Variable) -> str:
    """The signs with which a term may be added: what is taken from itself leaves nothing, no gradient and no step."""
    return "+" if scene.text.of(node) == term.text or np.array_equal(scene.value(node), term.value) else "+-"


def quotients(scene: Scene) -> Iterator[Candidate]:
    """A cotangent times or over a forward value, element by element, added: a path through a factor."""
    whole = scene.value_node
    shape = scene.shape(whole) if whole is not None else None
    if whole is None or not shape:
        return
    near = [v for v in scene.arrays if scene.is_near(v.text)]
    text = scene.text.of(whole)
    backward = [v for v in near if scene.is_backward(v)][:8]
    rows = [(v.text, v.shape) for v in backward]
    rows += [
        (f"{v.text}.sum(axis={k})", v.shape[:k] + v.shape[k + 1 :])
        for v in backward
        for k in range(len(v.shape) * (len(shape) < 3))
    ]
    for d, size in rows:
        for x in [v for v in near if not scene.is_backward(v)][:16]:
            if _broadcast(size, x.shape) == shape:
                for new in (f"{d} * {x.text}", f"{d} / {x.text}"):
                    for sign in "+-":
                        words = {"term": new, "sign": sign, "path": d}
                        yield Candidate(2.6 + 0.05 * (sign == "-"), whole, f"{text} {sign} {new}", "missing-term", words)


def _broadcast(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...] | None:
    try:
        return np.broadcast_shapes(a, b)
    except ValueError:
        return None


def rebuilt(scene: Scene) -> Iterator[Candidate]:
    """The whole made anew as gradients are made: a cotangent summed over an axis, or multiplied by a matrix."""
    whole = scene.value_node
    tops = list(whole.args) if isinstance(whole, ast.Call) and isinstance(scene.statement, ast.Expr) else [whole]
    for node in tops:
        shape = scene.shape(node) if node is not None else None
        if not shape or node is None or not isinstance(node, (ast.BinOp, ast.Call)):
            continue
        was = scene.text.of(node)
        for v in [v for v in scene.arrays if scene.is_near(v.text) and scene.is_backward(v)][:12]:
            for axis in range(len(v.shape)):
                if v.shape[:axis] + v.shape[axis + 1 :] == shape:
                    words = {"was": was, "now": f"the sum over axis {axis}"}
                    yield Candidate(2.3, node, f"{v.text}.sum(axis={axis})", "wrong-axis", words)
        if len(shape) == 2:
            for new, _, extra in _products(scene, shape):
                yield Candidate(2.5 + extra, node, new, "other-value", {"was": was, "now": new})


def products(scene: Scene) -> Iterator[Candidate]:
    """A matrix product of two variables added: another path that leads through a weight."""
    for part in scene.parts:
        node = part.node
        if part.stored or part.in_index or part.is_function or isinstance(node, ast.Constant):
            continue
        if isinstance(node, ast.Name) and node is not scene.value_node:
            continue
        if node is not scene.value_node and not isinstance(part.parent, (ast.BinOp, ast.Call)):
            continue
        shape = scene.shape(node)
        if shape is None or len(shape) > 2:
            continue
        if not shape and node is not scene.value_node and not _is_product(node):
            continue
        text = scene.text.of(node)
        for new, name, extra in _products(scene, shape):
            words = {"term": new, "sign": "+", "path": name}
            yield Candidate(2.4 + extra, node, f"{text} + {new}", "missing-term", words)


def _is_product(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)


def _products(scene: Scene, shape: tuple[int, ...]) -> list[tuple[str, str, float]]:
    """What may be added, the cotangent in it, and how much less likely than the likeliest it is."""
    cache = scene.__dict__.setdefault("_products", {})
    if shape not in cache:
        there = {n.id for n in ast.walk(scene.statement) if isinstance(n, ast.Name)}
        known = _factors_beside(scene)
        rows = sorted(((_surprise(row, there, known), *row) for row in _made(scene, shape)), key=lambda row: row[0])
        cache[shape] = [(new, name, 0.1 * surprise[0]) for surprise, new, name in rows[:60]]
    return cache[shape]


def _factors_beside(scene: Scene) -> set[str]:
    """What the forward pass multiplies the parameters with whose gradients a statement makes: these are made with it too."""
    replay = scene.trial.replay
    made = {n for m in scene.trial.moments[scene.place] for _, n in m.outs}
    own = {i for m in scene.trial.claims if made & set(m.held.claim.gradient_nodes) for i in m.held.tensor.nodes}
    readers = {j for i in own for j in replay.index.consumers.get(i, ()) if replay.tape.nodes[j].kind == "op"}
    products = (j for j in readers if is_any(replay.tape.nodes[j].op, MUL) or replay.tape.nodes[j].name in PRODUCTS)
    beside = {i for j in products for i in replay.tape.nodes[j].inputs()} - own
    return {b.name for i in beside for b in replay.index.names.get(i, ())}


def _surprise(row: tuple[str, str], there: set[str], known: set[str]) -> tuple[int, int]:
    """How unlikely a product is the missing one: names that do not go together (do, Wo), names that are there already.

    Names that differ from those of the statement by their numbers (`d1 * w3` beside `d2 * w5`) go together too, and what
    is `known` to be multiplied in the forward pass.
    """
    whole = [t.removesuffix(".T") for t in re.split(r" [@*] |\.dot\(", row[0].rstrip(")"))]
    if known.intersection(whole):
        return 0, sum(f in there for f in whole)
    factors = [t.split(".")[-1] for t in whole]
    kinds = {_DIGITS.sub("", t) for t in there}
    alike = [_DIGITS.sub("", f) in kinds and _DIGITS.search(f) is not None for f in factors]
    apart = factors[0][-1].lower() != factors[-1][-1].lower()
    return 0 if all(alike) else 1 + apart, sum(f in there for f in factors)


def _made(scene: Scene, shape: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    if not shape:
        cotangents = [v for v in scene.scalars if scene.is_near(v.text) and scene.is_backward(v)][:16]
        numbers = [v for v in scene.scalars if scene.is_near(v.text) and not scene.is_backward(v)]
        yield from ((f"{v.text} * {w.text}", v.text) for v in cotangents for w in numbers[:24])
        return
    matrices = [v for v in scene.arrays if len(v.shape) == 2 and v.text.split(".")[0].split("[")[0] in scene.local_names]
    backward = [v for v in scene.arrays if scene.is_near(v.text) and scene.is_backward(v)]
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


def _decay(scene: Scene, node: ast.expr, text: str, shape: tuple[int, ...]) -> Iterator[Candidate]:
    """A small number times a weight, the number over the count of samples perhaps."""
    small = [v for v in scene.scalars if isinstance(v.value, float) and 0 < abs(v.value) < 10 and "[" not in v.text]
    counts = [v for v in scene.scalars if isinstance(v.value, (int, np.integer)) and v.value > 1 and v.text.isidentifier()]
    for v in scene.of_shape(shape)[:40]:
        if not scene.is_parameter(v):
            continue
        for c in small[:8]:
            rows = [f"{c.text} * {v.text}", f"2 * {c.text} * {v.text}"]
            rows += [f"{c.text} / {n.text} * {v.text}" for n in counts[:4]]
            for k, new in enumerate(rows):
                words = {"term": new, "sign": "+", "decay": True}
                yield Candidate(2.0 + 0.1 * bool(k), node, f"{text} + {new}", "missing-term", words)


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
        if shape is None:
            continue
        known = scene.of_shape(shape)[:20] if shape else [v for v in scene.scalars if scene.is_near(v.text)][:12]
        for v in known:
            for sign in _signs(scene, node, v):
                new = f"{scene.text.of(node)} {sign} {v.text}"
                cost = 2.3 + (0.0 if scene.is_near(v.text) else 0.2)
                yield Candidate(cost, node, new, "missing-term", {"term": v.text, "sign": sign})
        yield from _normalising(scene, node, shape)
    if whole is not None and (shape := scene.shape(whole)):
        yield from _normalising(scene, whole, shape)


def _normalising(scene: Scene, node: ast.expr, shape: tuple[int, ...]) -> Iterator[Candidate]:
    """What a normalisation takes from a cotangent: its mean, and the normalised value times its mean with that."""
    if len(shape) < 2 or not isinstance(node, (ast.Name, ast.Attribute)):
        return
    for mean in means(scene, shape):
        rows = [mean]
        if mean.startswith("("):
            rows.append(f"{mean[1 : mean.index(')')].split(' * ')[1]} * {mean}")
        for k, term in enumerate(rows):
            new = f"{scene.text.of(node)} - {term}"
            yield Candidate(2.65 + 0.1 * k, node, new, "missing-term", {"term": term, "sign": "-"})
