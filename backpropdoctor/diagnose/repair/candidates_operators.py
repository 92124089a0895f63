"""Operators exchanged, operands dropped or exchanged, transposes, signs."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from .candidate import Candidate
from .scene import Scene


def operators(scene: Scene) -> Iterator[Candidate]:
    """Another operator, one operand less, the operands exchanged."""
    for part in scene.parts:
        node = part.node
        if part.in_index and not isinstance(node, ast.Compare):
            continue
        if isinstance(node, ast.BinOp):
            yield from _binary(scene, node)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            yield Candidate(0.9, node, scene.text.of(node.operand), "sign", {})
        elif isinstance(node, ast.Compare) and len(node.ops) == 1:
            yield from _comparison(scene, node)


def _binary(scene: Scene, node: ast.BinOp) -> Iterator[Candidate]:
    left, right = scene.text.wrapped(node.left), scene.text.wrapped(node.right)
    bare_left, bare_right = scene.text.of(node.left), scene.text.of(node.right)
    scalar = [not scene.shape(n) for n in (node.left, node.right)]
    op = node.op
    if isinstance(op, (ast.Mult, ast.Div)):
        one = isinstance(node.left, ast.Constant) and node.left.value == 1
        if not (isinstance(op, ast.Div) and one):
            yield Candidate(1.0, node, bare_left, "surplus-factor", {"factor": bare_right, "scalar": scalar[1]})
        if isinstance(op, ast.Mult):
            yield Candidate(1.0, node, bare_right, "surplus-factor", {"factor": bare_left, "scalar": scalar[0]})
        other = "/" if isinstance(op, ast.Mult) else "*"
        yield Candidate(1.2, node, f"{left} {other} {right}", "scaled", {"was": scene.text.of(node), "factor": bare_right})
    if isinstance(op, ast.Mult) and not any(scalar):
        for a, b, cost in (
            (left, right, 1.0),
            (f"{left}.T", right, 1.3),
            (left, f"{right}.T", 1.3),
            (right, left, 1.3),
        ):
            yield Candidate(cost, node, f"{a} @ {b}", "elementwise-for-matrix-product", {})
        yield Candidate(1.4, node, f"{right}.T @ {left}", "elementwise-for-matrix-product", {})
        yield Candidate(1.4, node, f"{right} @ {left}.T", "elementwise-for-matrix-product", {})
        if scene.numpy:
            yield Candidate(1.4, node, f"{scene.numpy}.outer({bare_left}, {bare_right})", "elementwise-for-matrix-product", {})
            yield Candidate(1.4, node, f"{scene.numpy}.outer({bare_right}, {bare_left})", "elementwise-for-matrix-product", {})
    if isinstance(op, ast.MatMult):
        yield Candidate(1.0, node, f"{left} * {right}", "matrix-product-for-elementwise", {})
        yield Candidate(1.1, node, f"{right} @ {left}", "transposed", {"what": "the factors are in the wrong order"})
        yield Candidate(1.2, node, f"({left} @ {right}).T", "transposed", {"what": "the product is the transpose"})
    if isinstance(op, (ast.Add, ast.Sub)):
        other = "-" if isinstance(op, ast.Add) else "+"
        yield Candidate(1.0, node, f"{bare_left} {other} {right}", "sign", {})
        yield Candidate(1.1, node, bare_left, "surplus-term", {"term": bare_right})
        if isinstance(op, ast.Add):
            yield Candidate(1.1, node, bare_right, "surplus-term", {"term": bare_left})
        else:
            usual = isinstance(node.left, ast.Constant)  # 1 - a is a derivative; nobody writes a - 1
            yield Candidate(1.4 if usual else 1.0, node, f"{right} - {left}", "sign", {})
    if isinstance(op, ast.Pow):
        yield Candidate(1.0, node, bare_left, "wrong-derivative-function", {"was": scene.text.of(node)})


def _comparison(scene: Scene, node: ast.Compare) -> Iterator[Candidate]:
    signs = {ast.Gt: ">", ast.GtE: ">=", ast.Lt: "<", ast.LtE: "<="}
    kind = type(node.ops[0])
    if kind not in signs:
        return
    left, right = scene.text.of(node.left), scene.text.of(node.comparators[0])
    for other in (">", "<", "<=", ">="):
        if other != signs[kind]:
            words = {"was": scene.text.of(node), "now": f"{left} {other} {right}"}
            yield Candidate(1.0, node, f"{left} {other} {right}", "wrong-derivative-function", words)


def transposes(scene: Scene) -> Iterator[Candidate]:
    """A `.T` dropped or added; the axes of a transpose in another order."""
    for part in scene.parts:
        node = part.node
        if part.stored or part.is_function or part.in_index:
            continue
        if isinstance(node, ast.Attribute) and node.attr == "T":
            yield Candidate(1.0, node, scene.text.of(node.value), "transposed", {"what": "without `.T`"})
            continue
        if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.BinOp)):
            shape = scene.shape(node)
            if shape and len(shape) > 2:
                cost = 1.75 if _elementwise(part.parent) or _elementwise(node) else 1.15
                what = {"what": "with its last two axes exchanged"}
                yield Candidate(cost, node, f"{scene.text.wrapped(node)}.swapaxes(-1, -2)", "transposed", what)
            if isinstance(node, ast.Call) and (plain := _untransposed(node)) is not None:
                yield Candidate(1.05, node, scene.text.of(plain), "transposed", {"what": f"without `.{_method(node)}`"})
            if shape and len(shape) == 2 and not (isinstance(part.parent, ast.Attribute) and part.parent.attr == "T"):
                cost = 1.7 if _elementwise(part.parent) or _elementwise(node) else 1.1
                yield Candidate(cost, node, f"{scene.text.wrapped(node)}.T", "transposed", {"what": "with `.T`"})


def _untransposed(node: ast.Call) -> ast.expr | None:
    """What `x.transpose(…)`, `x.swapaxes(…)` or `np.transpose(x, …)` transposes."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in ("transpose", "swapaxes"):
        return None
    of_numpy = isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy")
    return (node.args[0] if node.args else None) if of_numpy else node.func.value


def _method(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def signs(scene: Scene) -> Iterator[Candidate]:
    """A minus in front of the whole, of a term or of a factor."""
    whole = scene.value_node
    for part in scene.parts:
        node = part.node
        top = node is whole or (isinstance(part.parent, (ast.Tuple, ast.List)) and part.parent is whole)
        term = isinstance(part.parent, ast.BinOp) and isinstance(part.parent.op, (ast.Add, ast.Sub))
        if part.stored or part.in_index or part.is_function or scene.shape(node) is None:
            continue
        if not (top or term or _is_exponent(part.parent)):
            continue
        text = scene.text.of(node)
        first = node.left if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div, ast.MatMult)) else node
        bare = isinstance(first, (ast.Name, ast.Attribute, ast.Subscript, ast.Call, ast.Constant))
        yield Candidate(1.2 if top else 1.4, node, f"-{text}" if bare else f"-({text})", "sign", {})


def _is_exponent(parent: ast.AST) -> bool:
    """Whether a part is what an exponential is taken of: `exp(z)` where `exp(-z)` belongs."""
    return isinstance(parent, ast.Call) and ast.unparse(parent.func).split(".")[-1] == "exp"


def conditions(scene: Scene) -> Iterator[Candidate]:
    """`x if … else y` without its condition: a term that is wanted always, or never."""
    for part in scene.parts:
        if isinstance(part.node, ast.IfExp):
            for kept in (part.node.body, part.node.orelse):
                text = scene.text.of(kept)
                yield Candidate(0.95, part.node, text, "missing-term", {"term": text, "sign": "+"})


def statements(scene: Scene) -> Iterator[Candidate]:
    """`=` where `+=` belongs, `-=` for `+=`."""
    node = scene.statement
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and not isinstance(node.targets[0], ast.Tuple):
        target, value = scene.text.of(node.targets[0]), scene.text.of(node.value)
        yield Candidate(1.2, node, f"{target} += {value}", "overwritten", {"target": target, "sign": "+"})
        yield Candidate(1.25, node, f"{target} -= {value}", "overwritten", {"target": target, "sign": "-"})
        yield from _at_once(scene, node.targets[0], node.value, "add")
    elif isinstance(node, ast.AugAssign):
        target, value = scene.text.of(node.target), scene.text.of(node.value)
        if isinstance(node.op, (ast.Add, ast.Sub)):
            other = "-=" if isinstance(node.op, ast.Add) else "+="
            yield Candidate(0.98, node, f"{target} {other} {value}", "sign", {})
            yield from _at_once(scene, node.target, node.value, "add" if isinstance(node.op, ast.Add) else "subtract")
        yield Candidate(1.2, node, f"{target} = {value}", "accumulated", {"target": target})


def _at_once(scene: Scene, target: ast.expr, value: ast.expr, ufunc: str) -> Iterator[Candidate]:
    """`np.add.at(a, k, v)` for `a[k] += v`, which adds once only where an index stands in `k` several times."""
    if not isinstance(target, ast.Subscript) or scene.numpy is None:
        return
    keys = target.slice.elts if isinstance(target.slice, ast.Tuple) else [target.slice]
    values = [scene.value(key) for key in keys]
    arrays = [v.ravel() for v in values if isinstance(v, np.ndarray) and v.dtype.kind in "iu"]
    if not arrays or len({a.size for a in arrays}) > 1 or np.unique(np.stack(arrays), axis=1).shape[1] == arrays[0].size:
        return
    array, key, added = (scene.text.of(n) for n in (target.value, target.slice, value))
    key = f"({key})" if isinstance(target.slice, ast.Tuple) else key
    new = f"{scene.numpy}.{ufunc}.at({array}, {key}, {added})"
    yield Candidate(1.0, scene.statement, new, "repeated-index", {"key": key, "array": array})


def _elementwise(parent: ast.AST) -> bool:
    return isinstance(parent, ast.BinOp) and not isinstance(parent.op, ast.MatMult)
