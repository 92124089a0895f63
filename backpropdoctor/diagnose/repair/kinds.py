"""The kind of mistake behind an edit, from the edit and from what the exchanged values are."""

from __future__ import annotations

import ast
import re
from typing import Any

from ..blame import Root
from .candidate import Candidate
from .scene import Scene

_DERIVATIVE = re.compile(r"deriv|prime|grad|nonlin|backward|_d\b|\bd_", re.IGNORECASE)
_RECURRENT = re.compile(r"next|prev|future|later|carry|last|hidden|\bdh|dc|_t1|skip|shortcut|resid|branch", re.IGNORECASE)


def refined(candidate: Candidate, scene: Scene, root: Root) -> tuple[str, dict[str, Any]]:
    """The kind and the words of a candidate that works."""
    kind, words = candidate.kind, dict(candidate.words)
    if kind == "wrong-derivative":
        return _derivative(candidate, scene, words)
    if kind in ("wrong-variable", "wrong-index", "wrong-key") and in_derivative(scene, candidate.old):
        words.setdefault("at", f"`{words.get('was', '')}`")
        return "derivative-at-wrong-argument", words
    if kind == "wrong-variable" and words.get("both") and _is_product_of_complements(candidate.old):
        words.setdefault("at", f"`{words.get('was', '')}`")
        return "derivative-at-wrong-argument", words
    if kind == "surplus-factor" and not words.get("scalar") and not root.received and _compares(candidate.old):
        return "loss-mismatch", words
    if kind == "surplus-factor" and not words.get("scalar"):
        return "surplus-derivative", words
    if kind == "missing-term" and not words.get("decay") and (words.get("path") or _RECURRENT.search(words["term"])):
        return "missing-path", words
    if kind == "surplus-factor" and in_derivative(scene, candidate.old):
        return "wrong-derivative-function", words | {"was": scene.text.of(candidate.old)}
    if kind == "sign" and _is_derivative(candidate.old):
        return "wrong-derivative-function", words | {"was": scene.text.of(candidate.old)}
    if kind in ("scaled", "sign") and in_derivative(scene, candidate.old, strictly=True):
        return "wrong-derivative-function", words | {"was": _factor_text(scene, candidate.old)}
    return kind, words


def _is_derivative(node: ast.AST) -> bool:
    """Whether an expression is one plus or minus a power: the derivative of an activation with another sign."""
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, (ast.Add, ast.Sub))
        and isinstance(node.left, ast.Constant)
        and node.left.value == 1
    )


def _compares(node: ast.AST) -> bool:
    """Whether a difference of two variables stands in an expression: the output and what it should be."""
    return any(
        isinstance(n, ast.BinOp)
        and isinstance(n.op, ast.Sub)
        and not isinstance(n.left, ast.Constant)
        and not isinstance(n.right, ast.Constant)
        for n in ast.walk(node)
    )


def _derivative(candidate: Candidate, scene: Scene, words: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A derivative in the place of something: at another argument, of another function, or of a mere value."""
    was, of = str(words["was"]), str(words.get("of", ""))
    names = {n.id for n in ast.walk(candidate.old) if isinstance(n, ast.Name)}
    root = re.split(r"[.\[]", of)[0]
    function = words.get("function", "")
    calls = [n for n in ast.walk(candidate.old) if isinstance(n, ast.Call)]
    if calls and any(of == ast.unparse(a) for c in calls for a in c.args) and function in ("sigmoid", "tanh"):
        words["at"], words["activation"] = f"the activation `{of}`", True
        return "derivative-at-wrong-argument", words
    if root not in names and len(names) == 1 and not isinstance(candidate.old, (ast.Name, ast.Attribute, ast.Subscript)):
        words["at"] = f"`{was}`"
        return "derivative-at-wrong-argument", words
    return "wrong-derivative", words


def in_derivative(scene: Scene, node: ast.AST, strictly: bool = False) -> bool:
    """Whether a part stands in a factor that looks like a derivative: a comparison, 1 - x, a power, f'(x)."""
    parents = {id(p.node): p.parent for p in scene.parts}
    child: ast.AST = node
    while id(child) in parents:
        parent = parents[id(child)]
        if isinstance(parent, ast.Compare):
            return not _counts(scene, parent)
        if isinstance(parent, ast.BinOp):
            if isinstance(parent.op, ast.Pow):
                return True
            if isinstance(parent.op, ast.Sub) and isinstance(parent.left, ast.Constant):
                return True
            if isinstance(parent.op, ast.Mult) and not strictly and _complement(parent):
                return True
        if isinstance(parent, ast.Call):
            name = parent.func.attr if isinstance(parent.func, ast.Attribute) else getattr(parent.func, "id", "")
            if _DERIVATIVE.search(name) and child is not parent.func:
                return True
            if name in ("dot", "matmul", "sum", "mean"):
                return False
        child = parent
    return False


def _counts(scene: Scene, node: ast.Compare) -> bool:
    """Whether whole numbers are compared, such as the number of a layer: no mask of an activation."""
    return isinstance(scene.value(node.left), int)


def _complement(node: ast.BinOp) -> bool:
    """a * (1 - a), with one of the two exchanged."""
    for side in (node.left, node.right):
        if isinstance(side, ast.BinOp) and isinstance(side.op, ast.Sub) and isinstance(side.left, ast.Constant):
            other = node.left if side is node.right else node.right
            return isinstance(other, (ast.Name, ast.Attribute, ast.Subscript)) and side.left.value == 1
    return False


def _is_product_of_complements(node: ast.AST) -> bool:
    """Whether ... * a * (1 - a) is an expression."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and isinstance(node.right, ast.BinOp)):
        return False
    last = node.left.right if isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Mult) else node.left
    one, op, a = node.right.left, node.right.op, node.right.right
    return isinstance(op, ast.Sub) and ast.unparse(one) in ("1", "1.0") and ast.unparse(a) == ast.unparse(last)


def _factor_text(scene: Scene, node: ast.AST) -> str:
    parents = {id(p.node): p.parent for p in scene.parts}
    child = node
    while id(child) in parents and isinstance(parents[id(child)], (ast.BinOp, ast.Compare)):
        parent = parents[id(child)]
        if isinstance(parent, ast.BinOp) and isinstance(parent.op, (ast.Mult, ast.MatMult)):
            break
        child = parent
    return scene.text.of(child)
