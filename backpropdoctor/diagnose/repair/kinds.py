"""The kind of mistake behind an edit, from the edit and from what the exchanged values are."""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np

from ..blame import Root
from ..blame_together import changes_nothing
from .candidate import Candidate
from .functions import APPLIED, is_applied
from .scene import Scene, is_number

_DERIVATIVE = re.compile(r"deriv|prime|grad|nonlin|backward|_d\b|\bd_", re.IGNORECASE)
_LOSS = re.compile(r"loss|cost|error|criterion", re.IGNORECASE)  # its derivative is none of an activation
_RECURRENT = re.compile(r"next|prev|future|later|carry|last|hidden|\bdh|dc|_t1|skip|shortcut|resid|branch", re.IGNORECASE)


def refined(candidate: Candidate, scene: Scene, root: Root) -> tuple[str, dict[str, Any]]:
    """The kind and the words of a candidate that works."""
    kind, words = candidate.kind, dict(candidate.words)
    if kind == "wrong-variable" and changes_nothing(scene.statement) and candidate.new in scene.trial.backward_names:
        return "missing-path", {"term": candidate.new}  # what one turn hands to the next was left out
    function = words.get("function")
    if function == "power" or function in APPLIED and not is_applied(scene, function, str(words.get("of", ""))):
        return _mere_value(kind, words)
    if kind == "other-value" and words.get("function") and not _reads_backward(scene, candidate.old):
        return "wrong-derivative", words
    if kind == "wrong-derivative-function" and candidate.new in scene.trial.backward_names:
        return "other-value", {"was": scene.text.of(candidate.old), "now": candidate.new}  # a cotangent is no derivative
    if kind in ("wrong-derivative", "other-value") and (term := _added(candidate)) is not None:
        return "missing-term", {"term": term, "sign": "+"}
    if kind == "wrong-derivative":
        return _derivative(candidate, scene, words)
    if kind == "wrong-index" and (size := _size(scene, candidate.old)) is not None:
        return "scaled", words | {"was": scene.text.of(size), "now": _with(scene, size, candidate)}
    if kind == "wrong-index" and (cut := _spread(scene, candidate)) is not None:
        return "shape-drift", words | cut
    if kind == "scaled" and _adds_nothing(scene, candidate.old):
        sign = "+" if isinstance(scene.statement.op, ast.Add) else "-"  # type: ignore[attr-defined]
        return "missing-term", words | {"term": candidate.new, "sign": sign}
    if kind == "scaled" and words.get("missing") and _is_value(scene, str(words.get("factor", ""))):
        return "missing-factor", words
    if kind in ("wrong-variable", "wrong-index", "wrong-key") and in_derivative(scene, candidate.old):
        words.setdefault("at", f"`{_read_at(scene, candidate.old) or words.get('was', '')}`")
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
    if kind == "sign" and isinstance(candidate.old, ast.expr) and (factor := _with_exponential(scene, candidate.old)):
        return "wrong-derivative-function", words | {"was": factor}
    if kind in ("scaled", "sign") and in_derivative(scene, candidate.old, strictly=True):
        return "wrong-derivative-function", words | {"was": _factor_text(scene, candidate.old)}
    return kind, words


def _added(candidate: Candidate) -> str | None:
    """The term that an edit adds where it keeps all that stood there: `p - y` for `-y`."""
    new, old = ast.parse(candidate.new, mode="eval").body if candidate.new else None, candidate.old
    if not isinstance(new, ast.BinOp) or not isinstance(new.op, ast.Sub):
        return None
    negated = (
        isinstance(old, ast.UnaryOp) and isinstance(old.op, ast.USub) and ast.unparse(old.operand) == ast.unparse(new.right)
    )
    return ast.unparse(new.left) if negated else None


def _read_at(scene: Scene, index: ast.AST) -> str | None:
    """What is read at an index: `hs[t]` for its `t`."""
    for part in scene.parts:
        if isinstance(part.node, ast.Subscript) and any(n is index for n in ast.walk(part.node.slice)):
            return scene.text.of(part.node)
    return None


def _mere_value(kind: str, words: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A form that looks like the derivative of a function that the forward pass does not apply there: it is what it is."""
    if kind == "missing-derivative":
        return "missing-factor", {"factor": words["now"], "missing": True}
    return "other-value", {k: v for k, v in words.items() if k in ("was", "now")}


def _reads_backward(scene: Scene, node: ast.AST) -> bool:
    names = scene.trial.backward_names
    return any(isinstance(n, ast.expr) and ast.unparse(n) in names for n in ast.walk(node))


def _size(scene: Scene, old: ast.AST) -> ast.Subscript | None:
    """The `x.shape[k]` whose `k` an edit exchanges: a number to divide by, not an element."""
    for part in scene.parts:
        node = part.node
        if isinstance(node, ast.Subscript) and node.slice is old and isinstance(node.value, ast.Attribute):
            return node if node.value.attr == "shape" else None
    return None


def _spread(scene: Scene, candidate: Candidate) -> dict[str, str] | None:
    """The shapes of a slice of one column (or row), spread over all of what stands beside it, and of what is meant."""
    for part in scene.parts:
        node = part.node
        if not isinstance(node, ast.Subscript) or not any(n is candidate.old for n in ast.walk(node.slice)):
            continue
        sliced = any(isinstance(n, ast.Slice) and any(m is candidate.old for m in ast.walk(n)) for n in ast.walk(node.slice))
        old = scene.shape(node)
        if not sliced or old is None or not isinstance(part.parent, ast.BinOp):
            return None
        beside = part.parent.left if part.parent.right is node else part.parent.right
        there = scene.shape(beside)
        if there is not None and len(there) == len(old) and any(a == 1 < b for a, b in zip(old, there, strict=True)):
            return {"was": f"{old}", "now": f"{there}"}
        return None
    return None


def _with(scene: Scene, node: ast.Subscript, candidate: Candidate) -> str:
    return f"{scene.text.of(node.value)}[{candidate.new}]"


def _adds_nothing(scene: Scene, old: ast.AST) -> bool:
    """Whether a statement adds or takes away zero."""
    statement = scene.statement
    adds = isinstance(statement, ast.AugAssign) and isinstance(statement.op, (ast.Add, ast.Sub))
    return adds and statement.value is old and isinstance(old, ast.Constant) and old.value == 0  # type: ignore[attr-defined]


def _is_value(scene: Scene, text: str) -> bool:
    """Whether a number differs from one run of the statement to the next: a value of the net, no count and no setting."""
    moments = scene.trial.moments[scene.place]
    first, last = scene.evaluate(text, moments[0]), scene.evaluate(text, moments[-1])
    return isinstance(last, (float, np.floating)) and isinstance(first, (float, np.floating)) and first != last


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
    if function == "sigmoid" and _equal(scene.value(candidate.old), scene.evaluate(f"1 - {of}")):  # type: ignore[arg-type]
        return "missing-factor", words | {"factor": of, "missing": True}
    calls = [n for n in ast.walk(candidate.old) if isinstance(n, ast.Call)]
    at_activation = candidate.new.endswith((f"{of} * (1 - {of})", f"1 - {of} ** 2", f"(1 - {of} ** 2)"))
    if at_activation and any(of == ast.unparse(a) for c in calls for a in c.args) and function in ("sigmoid", "tanh"):
        words["at"], words["activation"] = f"the activation `{of}`", True
        return "derivative-at-wrong-argument", words
    if root not in names and len(names) == 1 and not isinstance(candidate.old, (ast.Name, ast.Attribute, ast.Subscript)):
        words["at"] = f"`{was}`"
        return "derivative-at-wrong-argument", words
    return "wrong-derivative", words


def _equal(a: Any, b: Any) -> bool:
    return is_number(a) and is_number(b) and np.shape(a) == np.shape(b) and bool(np.allclose(a, b, rtol=1e-9, atol=0))


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
            if _DERIVATIVE.search(name) and not _LOSS.search(name) and child is not parent.func:
                return True
            if name == "where" and child is not parent.args[0]:
                return True
            if name in ("dot", "matmul", "sum", "mean"):
                return False
        child = parent
    return False


def _with_exponential(scene: Scene, node: ast.expr) -> str:
    """The factor with an exponential that a part is in the argument of: its sign is not that of the whole; else ''."""
    parents = {id(p.node): p.parent for p in scene.parts}
    child: ast.expr = node
    inside = False
    while isinstance(parent := parents.get(id(child)), (ast.BinOp, ast.UnaryOp, ast.Call)):
        if isinstance(parent, ast.Call):
            name = parent.func.attr if isinstance(parent.func, ast.Attribute) else getattr(parent.func, "id", "")
            inside = inside or name.startswith("exp")
        if inside and isinstance(parent, ast.BinOp) and isinstance(parent.op, (ast.Mult, ast.Div, ast.MatMult)):
            divides = isinstance(parent.op, ast.Div) and child is parent.right
            return f"1 / {scene.text.wrapped(child)}" if divides else scene.text.of(child)
        child = parent
    return scene.text.of(child) if inside else ""


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
    """The factor of a product that a part stands in, with the `np.where` around it."""
    parents = {id(p.node): p.parent for p in scene.parts}
    child = node
    while id(child) in parents and isinstance(parents[id(child)], (ast.BinOp, ast.Compare, ast.Call)):
        parent = parents[id(child)]
        if isinstance(parent, ast.Call) and getattr(parent.func, "attr", "") != "where":
            break
        if isinstance(parent, ast.BinOp) and isinstance(parent.op, (ast.Mult, ast.MatMult)):
            break
        child = parent
    return scene.text.of(child)
