"""Faulty versions of one expression: each rule takes a node and yields (mistake, the node to stand in its place)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .scope import Scope

Faulty = Iterator[tuple[str, ast.expr]]
SAME_SHAPE = 3  # wrong variables tried for each right one


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands: in an index, in a call's function, as the loop's own arithmetic."""

    scope: Scope
    in_index: bool = False
    is_function: bool = False
    parent: ast.AST | None = None


def text_of(node: ast.AST) -> str:
    """Canonical source text of a node."""
    return ast.unparse(node)


def expr(text: str) -> ast.expr:
    """The expression a text stands for."""
    return ast.parse(text, mode="eval").body


def mutations(node: ast.expr, place: Place) -> Faulty:
    """All faulty versions of this one node (not of its children)."""
    if place.in_index:
        yield from _index(node)
        yield from _keys(node, place)
        return
    for rule in (_factors, _terms, _signs, _literals, _derivatives, _arguments, _products, _transposes, _axes):
        yield from rule(node, place)
    for rule in (_reductions, _variables, _copies, _softmax, _drift):
        yield from rule(node, place)


def is_derivative(node: ast.expr) -> bool:
    """Does the factor look like an activation's derivative?"""
    text = text_of(node)
    patterns = (r"\b1(\.0)? - ", r"> 0", r"where\(", r"[Pp]rime|deriv", r"\bcos\(", r"1 \+ np\.exp\(-")
    return any(re.search(p, text) for p in patterns)


def _is_number(node: ast.expr, place: Place) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float))
    if isinstance(node, ast.UnaryOp):
        return _is_number(node.operand, place)
    if isinstance(node, ast.BinOp):
        return _is_number(node.left, place) and _is_number(node.right, place)
    if isinstance(node, ast.Call):
        return text_of(node.func) in ("len", "float")
    text = text_of(node)
    return text.endswith((".size", "shape[0]", "shape[1]")) or place.scope.shape(text) == ()


def _factors(node: ast.expr, place: Place) -> Faulty:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, (ast.Mult, ast.Div)):
        return
    left, right = node.left, node.right
    if _is_number(right, place):
        if not _is_number(left, place) or not isinstance(right, ast.Constant):
            yield "scaled", left
        if isinstance(node.op, ast.Div):
            yield "scaled", ast.BinOp(left, ast.Mult(), right)
        return
    if isinstance(node.op, ast.Mult) and _is_number(left, place):
        yield "scaled", right
        return
    if not _is_number(left, place):
        yield "missing-derivative" if is_derivative(right) or _half(node, place) else "missing-factor", left
    if isinstance(node.op, ast.Mult) and is_derivative(left) and not is_derivative(right):
        yield "missing-derivative", right


def _half(node: ast.BinOp, place: Place) -> bool:
    """Is this the `d * a` of `d * a * (1 - a)`?"""
    found = _complement(place.parent.right) if isinstance(place.parent, ast.BinOp) else None
    return found is not None and text_of(found[1]) == text_of(node.right)


def _terms(node: ast.expr, place: Place) -> Faulty:
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, (ast.Add, ast.Sub)):
        return
    for dropped, kept in ((node.right, node.left), (node.left, node.right)):
        if isinstance(dropped, ast.Constant):
            continue
        if isinstance(kept, ast.Constant):
            yield "wrong-derivative-function", kept
            continue
        if kept is node.right and isinstance(node.op, ast.Sub):
            kept = ast.UnaryOp(ast.USub(), kept)
        path = isinstance(dropped, (ast.Name, ast.Attribute)) and isinstance(node.op, ast.Add)
        path = path or (len(_addends(node)) > 2 and not any(isinstance(a, ast.Constant) for a in _addends(node)))
        yield "missing-path" if path else "missing-term", kept


def _addends(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        return [*_addends(node.left), *_addends(node.right)]
    return [node]


def _signs(node: ast.expr, place: Place) -> Faulty:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield "sign", node.operand
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        derivative = isinstance(node.left, ast.Constant) and isinstance(node.op, ast.Sub)
        yield "wrong-derivative-function" if derivative else "sign", ast.BinOp(node.left, other, node.right)
        if isinstance(node.op, ast.Sub):
            yield "sign", ast.BinOp(node.right, ast.Sub(), node.left)


def _literals(node: ast.expr, place: Place) -> Faulty:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
        yield "wrong-derivative-function", node.left
        if isinstance(node.right.value, int):
            yield "wrong-derivative-function", ast.BinOp(node.left, ast.Pow(), ast.Constant(node.right.value + 1))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for side in ("left", "right"):
            number = getattr(node, side)
            if isinstance(number, ast.Constant) and isinstance(number.value, (int, float)) and number.value not in (0, 1):
                for value in (number.value / 2, number.value * 2):
                    changed = ast.Constant(int(value) if value == int(value) else value)
                    pair = (changed, node.right) if side == "left" else (node.left, changed)
                    yield "scaled", ast.BinOp(pair[0], ast.Mult(), pair[1])


def _complement(node: ast.expr) -> tuple[str, ast.expr] | None:
    """('tanh', a) for 1 - a**2 and 1 - a*a, ('sigmoid', a) for 1 - a."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)):
        return None
    if not (isinstance(node.left, ast.Constant) and node.left.value == 1):
        return None
    r = node.right
    if isinstance(r, ast.BinOp) and isinstance(r.op, ast.Pow) and text_of(r.right) == "2":
        return "tanh", r.left
    if isinstance(r, ast.BinOp) and isinstance(r.op, ast.Mult) and text_of(r.left) == text_of(r.right):
        return "tanh", r.left
    if isinstance(r, ast.Call) and text_of(r.func) == "np.power":
        return "tanh", r.args[0]
    return "sigmoid", r


def _derivatives(node: ast.expr, place: Place) -> Faulty:
    found = _complement(node)
    if found and found[0] == "tanh":
        a = text_of(found[1])
        yield "wrong-derivative-function", expr(f"({a}) * (1 - {a})")
        yield "wrong-derivative-function", expr(f"1 - {a}")
        yield "wrong-derivative-function", expr(f"(1 - {a}) ** 2")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        found = _complement(node.right)
        left = node.left
        if found and found[0] == "sigmoid":
            a = text_of(found[1])
            if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult) and text_of(left.right) == a:
                d = text_of(left.left)
                yield "wrong-derivative-function", expr(f"{d} * (1 - {a} ** 2)")
                yield "missing-derivative", expr(d)
            elif text_of(left) == a:
                yield "wrong-derivative-function", expr(f"1 - {a} ** 2")
    if isinstance(node, ast.Compare) and text_of(node.comparators[0]) == "0" and len(node.ops) == 1:
        yield (
            "wrong-derivative-function",
            expr(text_of(node).replace(">", "<") if ">" in text_of(node) else f"({node})"),
        )
    if isinstance(node, ast.Call) and text_of(node.func) == "np.where" and len(node.args) == 3:
        c, a, b = map(text_of, node.args)
        yield "wrong-derivative-function", expr(f"np.where({c}, {b}, {a})")
        yield "wrong-derivative-function", expr(c)


def _arguments(node: ast.expr, place: Place) -> Faulty:
    """The derivative taken at the activation, or at what went into it."""
    found = _complement(node)
    pairs = []
    if found:
        pairs.append((*found, node))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and _complement(node.right):
        kind, a = _complement(node.right)  # type: ignore[misc]
        if kind == "sigmoid" and text_of(a) in text_of(node.left):
            pairs.append((kind, a, node))
    for kind, a, whole in pairs:
        text = text_of(a)
        again = f"np.tanh({text})" if kind == "tanh" else f"(1 / (1 + np.exp(-{text})))"
        for other in [again, *_before(text, kind, place.scope)]:
            changed = re.sub(rf"(?<![\w.]){re.escape(text)}(?![\w\[(])", other.replace("\\", "\\\\"), text_of(whole))
            if changed != text_of(whole):
                yield "wrong-argument", expr(changed)


def _before(text: str, kind: str, scope: Scope) -> list[str]:
    """Names of what the activation `text` was made from."""
    value = scope.values.get(text)
    if value is None or not np.ndim(value):
        return []
    found = []
    with np.errstate(all="ignore"):
        for name in scope.alike(text):
            z = np.asarray(scope.values[name], dtype=float)
            made = np.tanh(z) if kind == "tanh" else 1 / (1 + np.exp(-z))
            if np.allclose(made, value, rtol=1e-9, atol=1e-12):
                found.append(name)
    return found


def _products(node: ast.expr, place: Place) -> Faulty:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield "elementwise-for-matmul", ast.BinOp(node.left, ast.Mult(), node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("dot", "outer"):
        if len(node.args) == 2:
            yield "elementwise-for-matmul", ast.BinOp(node.args[0], ast.Mult(), node.args[1])
        elif len(node.args) == 1 and node.func.attr == "dot":
            yield "elementwise-for-matmul", ast.BinOp(node.func.value, ast.Mult(), node.args[0])


def _transposes(node: ast.expr, place: Place) -> Faulty:
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transposed", node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "transpose":
        yield "transposed", node.func.value
    shape = place.scope.shape(text_of(node)) if isinstance(node, (ast.Name, ast.Attribute)) else None
    if shape and len(shape) == 2 and shape[0] == shape[1]:
        yield "transposed", ast.Attribute(node, "T", ast.Load())


def _axes(node: ast.expr, place: Place) -> Faulty:
    if not isinstance(node, ast.Call):
        return
    for i, word in enumerate(node.keywords):
        rest = node.keywords[:i] + node.keywords[i + 1 :]
        if word.arg == "axis":
            for value in _other_axes(word.value):
                changed = node.keywords[:i] + [ast.keyword("axis", value)] + node.keywords[i + 1 :]
                yield "wrong-axis", ast.Call(node.func, node.args, changed)
            yield "wrong-axis", ast.Call(node.func, node.args, rest)
        elif word.arg == "keepdims":
            yield "broadcasting-drift", ast.Call(node.func, node.args, rest)
    reducer = isinstance(node.func, ast.Attribute) and node.func.attr in ("sum", "mean")
    if reducer and node.args and isinstance(node.args[-1], ast.Constant) and isinstance(node.args[-1].value, int):
        for value in _other_axes(node.args[-1]):
            yield "wrong-axis", ast.Call(node.func, [*node.args[:-1], value], node.keywords)


def _other_axes(axis: ast.expr) -> list[ast.expr]:
    text = text_of(axis)
    if text in ("0", "1"):
        return [ast.Constant(1 - int(text))]
    if text == "-1":
        return [ast.Constant(0), ast.Constant(1)]
    if isinstance(axis, ast.Tuple):
        parts = [text_of(a) for a in axis.elts]
        return [expr(f"({', '.join(parts[:i] + parts[i + 1 :])},)") for i in range(len(parts))]
    return []


def _reductions(node: ast.expr, place: Place) -> Faulty:
    if isinstance(node, ast.Attribute) and place.is_function and node.attr in ("sum", "mean"):
        other = "mean" if node.attr == "sum" else "sum"
        yield "double-reduction" if other == "mean" else "scaled", ast.Attribute(node.value, other, ast.Load())


def _variables(node: ast.expr, place: Place) -> Faulty:
    if place.is_function or not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
        return
    text = text_of(node)
    others = place.scope.alike(text)
    near = sorted(others, key=lambda o: (_distance(o, text), o))
    for other in near[:SAME_SHAPE]:
        key = isinstance(node, ast.Subscript) and other.split("[")[0] == text.split("[")[0]
        yield "wrong-key" if key else "wrong-variable", expr(other)
    yield from _keys(node, place)


def _keys(node: ast.expr, place: Place) -> Faulty:
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        for key in place.scope.keys.get(text_of(node.value), [])[:6]:
            if key != node.slice.value:
                yield "wrong-key", ast.Subscript(node.value, ast.Constant(key), ast.Load())


def _distance(a: str, b: str) -> int:
    return sum(x != y for x, y in zip(a, b, strict=False)) + abs(len(a) - len(b))


def _copies(node: ast.expr, place: Place) -> Faulty:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "copy":
        yield "alias", node.args[0] if node.args else node.func.value
    if isinstance(node, ast.ListComp) and isinstance(node.generators[0].iter, ast.Call):
        generator, call = node.generators[0], node.generators[0].iter
        if text_of(generator.target) == "_" and text_of(call.func) == "range":
            yield "alias", ast.BinOp(ast.List([node.elt], ast.Load()), ast.Mult(), call.args[0])
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Sub)) and isinstance(node.left, ast.Name):
        name = "np.multiply" if isinstance(node.op, ast.Mult) else "np.subtract"
        shape = place.scope.shape(node.left.id)
        if shape and not _is_number(node.right, place):
            yield "alias", expr(f"{name}({node.left.id}, {text_of(node.right)}, out={node.left.id})")


def _softmax(node: ast.expr, place: Place) -> Faulty:
    """p * (d - sum(d * p)) without its off-diagonal part."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and isinstance(node.right, ast.BinOp)):
        return
    d, rest = node.right.left, text_of(node.right.right)
    if isinstance(node.right.op, ast.Sub) and "sum(" in rest and text_of(d) in rest and text_of(node.left) in rest:
        p = text_of(node.left)
        yield "softmax-diagonal", expr(f"{p} * (1 - {p}) * {text_of(d)}")


def _drift(node: ast.expr, place: Place) -> Faulty:
    if isinstance(node, (ast.Name, ast.Attribute)) and not isinstance(place.parent, ast.Attribute):
        shape = place.scope.shape(text_of(node))
        if shape and len(shape) == 2 and 1 in shape and shape != (1, 1):
            yield "broadcasting-drift", expr(f"{text_of(node)}.ravel()")


def _index(node: ast.expr) -> Faulty:
    """An index one off."""
    if isinstance(node, ast.Name):
        for op in (ast.Add(), ast.Sub()):
            yield "wrong-index", ast.BinOp(node, op, ast.Constant(1))
    shifted = isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub))
    if isinstance(node, ast.BinOp) and shifted and isinstance(node.right, ast.Constant):
        yield "wrong-index", node.left
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield "wrong-index", ast.BinOp(node.left, other, node.right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant) and isinstance(node.operand.value, int):
        yield "wrong-index", ast.UnaryOp(node.op, ast.Constant(node.operand.value + 1))
