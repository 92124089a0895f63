"""Factors that are missing, and all of a softmax's derivative where only its diagonal stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import combinations

import numpy as np

from .candidate import Candidate
from .candidates_derivatives import SKIP, chain, may_lack_factor, product
from .scene import Scene

_MOST_CALLS = 20  # of the program's that may be a factor


def missing_factors(scene: Scene) -> Iterator[Candidate]:
    """Another variable as a factor; a mean of a product where a product of means stands."""
    for part in scene.parts:
        node = part.node
        if part.stored or part.is_function or part.in_index or isinstance(node, SKIP):
            continue
        shape = scene.shape(node)
        if shape is None:
            continue
        pair = _pair_of_calls(node)
        if pair is not None:
            yield Candidate(1.4, node, pair, "wrong-axis", {"was": scene.text.of(node), "now": pair})
        if not may_lack_factor(part, scene):
            continue
        text = scene.text.of(node) if product(node) else scene.text.wrapped(node)
        for v in scene.of_shape(shape)[:30] if shape else []:
            words = {"factor": v.text, "missing": True}
            cost = 2.05 if _is_mask(v.value) and scene.is_near(v.text) else 2.4  # simpler than `(mask > 0)`
            yield Candidate(cost, node, f"{text} * {v.text}", "missing-factor", words)
        for a in _probabilities(scene, node, shape):
            new = f"({a} * (1 - {a}))"  # by its own derivative, which the sigmoid's cancels
            yield Candidate(2.2, node, f"{text} / {new}", "missing-factor", {"factor": f"1 / {new}", "missing": True})
        for new in _calls(scene, shape) if shape else []:
            yield Candidate(2.45, node, f"{text} * {new}", "missing-factor", {"factor": new, "missing": True})
        for new in _divisors(scene, shape) if shape else []:
            words = {"factor": f"1 / {new}", "missing": True}
            yield Candidate(2.35, node, f"{text} / {new}", "missing-factor", words)
        for new in _wider(scene, node, shape):
            words = {"factor": new, "missing": True}
            yield Candidate(2.5, node, f"{text} * {new}", "missing-factor", words)
    whole = scene.value_node
    if whole is not None and scene.shape(whole) == ():
        for v in scene.scalars[:30]:
            if isinstance(v.value, float):
                words = {"factor": v.text, "missing": True}
                yield Candidate(2.2, whole, f"{scene.text.wrapped(whole)} * {v.text}", "missing-factor", words)


def _divisors(scene: Scene, shape: tuple[int, ...]) -> list[str]:
    """Forward arrays that the program divides by: what the forward pass is divided by, the way back is too."""
    texts = scene.once(_divided_by)
    near = (v for v in scene.arrays if v.text in texts and scene.is_near(v.text) and not scene.is_backward(v))
    return [v.text for v in near if v.shape == shape or _spreads(v.shape, shape)]


def _divided_by(scene: Scene) -> set[str]:
    return {ast.unparse(n.right) for n in scene.walked if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)}


def _calls(scene: Scene, shape: tuple[int, ...]) -> list[str]:
    """What the program calls on one value, such as `np.tanh(c)`, where that can be read here and has this shape."""
    found = [call for call, argument in scene.once(_calls_of_one) if scene.known_shape(argument) == shape]
    return [text for text in found[:_MOST_CALLS] if scene.known_shape(text) == shape]


def _calls_of_one(scene: Scene) -> list[tuple[str, str]]:
    """What the program calls on one variable, and that variable."""
    found: dict[tuple[str, str], None] = {}
    for node in scene.walked:
        if isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
            argument = ast.unparse(node.args[0]) if isinstance(node.args[0], (ast.Name, ast.Attribute)) else ""
            if argument and scene.is_near(argument):
                found[ast.unparse(node), argument] = None
    return list(found)


def _probabilities(scene: Scene, node: ast.expr, shape: tuple[int, ...]) -> list[str]:
    """The outputs between 0 and 1 of which an error is taken: a cross-entropy's is divided by p (1 - p)."""
    errors = [n for n in ast.walk(node) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Sub)]
    sides = [s for n in errors for s in (n.left, n.right) if not isinstance(s, ast.Constant)]
    values = {ast.unparse(s): scene.value(s) for s in sides if scene.shape(s) == shape}
    return [text for text, v in values.items() if bool(np.all((np.asarray(v) > 0) & (np.asarray(v) < 1)))]


def _is_mask(value: np.ndarray) -> bool:
    return bool(np.all((value == 0) | (value == 1)) and np.any(value == 0))


def _wider(scene: Scene, node: ast.expr, shape: tuple[int, ...]) -> list[str]:
    """Factors of the whole's shape for a term that is broadcast to it, and means or sums of variables that give the term's."""
    whole = scene.shape(scene.value_node) if scene.value_node is not None else None
    found = []
    if whole and shape != whole and node is not scene.value_node:
        found += [v.text for v in scene.of_shape(whole)[:20] if not scene.is_backward(v)]
    if shape:
        fitting = [v for v in scene.arrays if v.shape != shape and scene.is_near(v.text) and _spreads(v.shape, shape)]
        found += [v.text for v in fitting[:20] if v.text not in found]
        lacking = [v for v in scene.arrays if scene.is_backward(v) and scene.is_near(v.text) and not _spreads(v.shape, shape)]
        found += [f"{v.text}[{key}]" for v in lacking[:20] for key in _keys(v.shape, shape)]
    if len(shape) > 1:
        found += means(scene, shape)
    if shape and scene.numpy:
        for v in scene.arrays[:40]:
            for axis in range(len(v.shape)):
                if v.shape[:axis] + v.shape[axis + 1 :] == shape and not scene.is_backward(v) and len(found) < 60:
                    found += [f"{v.text}.mean(axis={axis})", f"{v.text}.sum(axis={axis})"]
    return found


def means(scene: Scene, shape: tuple[int, ...]) -> list[str]:
    """Means and sums over an axis of a cotangent, or of one times a forward value, as normalisations have them."""
    rows = [v for v in scene.of_shape(shape) if scene.is_near(v.text)]
    cotangents = [v.text for v in rows if scene.is_backward(v)][:4]
    others = [v.text for v in rows if not scene.is_backward(v)][:4]
    inner = [*cotangents, *(f"({d} * {x})" for d in cotangents for x in others)]
    axes = [str(k) for k in range(len(shape))] + (
        [str(tuple(k for k in range(len(shape)) if k != 1))] if len(shape) > 2 else []
    )
    return [f"{t}.{name}(axis={axis}, keepdims=True)" for t in inner for axis in axes for name in ("mean", "sum")]


def _spreads(narrow: tuple[int, ...], wide: tuple[int, ...]) -> bool:
    """Whether an array is broadcast to a shape where it stands beside one of that shape."""
    return len(narrow) <= len(wide) and all(a in (1, b) for a, b in zip(narrow[::-1], wide[::-1], strict=False))


def _keys(narrow: tuple[int, ...], wide: tuple[int, ...]) -> list[str]:
    """The keys that give an array new axes so that it is spread over a shape: `:, :, None, None`."""
    places = combinations(range(len(wide)), len(narrow))
    fitting = [own for own in places if narrow and tuple(wide[k] for k in own) == narrow]
    return [", ".join(":" if k in own else "None" for k in range(len(wide))) for own in fitting]


def _pair_of_calls(node: ast.expr) -> str | None:
    """`f(a) * f(b)` as `f(a * b)`, for a sum or a mean."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)):
        return None
    found = []
    for factor in chain(node):
        if isinstance(factor, ast.Call) and ast.unparse(factor.func).split(".")[-1] in ("sum", "mean") and factor.args:
            found.append(factor)
    rest = [f for f in chain(node) if not any(f is c for c in found)]
    if len(found) != 2 or ast.unparse(found[0].func) != ast.unparse(found[1].func):
        return None
    a, b = (f"({ast.unparse(f.args[0])})" if isinstance(f.args[0], ast.BinOp) else ast.unparse(f.args[0]) for f in found)
    inner = f"{ast.unparse(found[0].func)}({a} * {b})"
    return " * ".join([*(ast.unparse(f) for f in rest), inner])


def softmax_jacobians(scene: Scene) -> Iterator[Candidate]:
    """s * (d - sum(d * s)): a softmax's whole Jacobian applied to a cotangent."""
    whole = scene.value_node
    if whole is None or not scene.numpy:
        return
    shape = scene.shape(whole)
    if not shape:
        return
    if len(shape) == 1:
        yield from _jacobian_rows(scene, whole, shape)
    rows = scene.of_shape(shape)[:20]
    for s in rows:
        values = np.asarray(s.value, dtype=float)
        for axis in range(len(shape)):
            if not (np.all(values >= 0) and np.allclose(np.sum(values, axis=axis), 1, atol=1e-6)):
                continue
            for d in rows:
                if d is s:
                    continue
                total = f"{scene.numpy}.sum({d.text} * {s.text}, axis={axis - len(shape) if axis == len(shape) - 1 else axis}"
                new = f"{s.text} * ({d.text} - {total}, keepdims=True))"
                yield Candidate(2.6, whole, new, "softmax-diagonal", {"of": s.text, "d": d.text})


def _jacobian_rows(scene: Scene, whole: ast.expr, shape: tuple[int, ...]) -> Iterator[Candidate]:
    """-s[i] * s: a row of a softmax's Jacobian, but for its diagonal, of the exponentials over their sum too."""
    places = [v for v in scene.scalars if type(v.value) is int and v.text.isidentifier() and scene.is_near(v.text)]
    sums = [v for v in scene.scalars if isinstance(v.value, (float, np.floating)) and v.value > 0 and scene.is_near(v.text)]
    for e in [v for v in scene.of_shape(shape) if scene.is_near(v.text)][:8]:
        values = np.asarray(e.value, dtype=float)
        if not np.all(values > 0):
            continue
        total = float(values.sum())
        over = [f" / {v.text} ** 2" for v in sums if abs(v.value - total) <= 1e-9 * total][:1]
        over += [""] if abs(total - 1) <= 1e-6 else []
        for i in [v.text for v in places if v.value < shape[0]][:6]:
            for end in over:
                yield Candidate(2.6, whole, f"-{e.text}[{i}] * {e.text}{end}", "softmax-diagonal", {"of": e.text})
