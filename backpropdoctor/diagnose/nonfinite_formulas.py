"""Stable formulas for the place where a non-finite value was born, written as edits of the user's statements."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..checks.nonfinite.because import same_values
from .nonfinite_scene import Formula, Scene, edit_of, statement_at


def formulas(scene: Scene) -> list[Formula]:
    """The candidates for this birth, best first; none is tried yet."""
    makers = (_difference, _shifted_softmax, _log_of_probability, _library_forms, _guards)
    found = [formula for make in makers for formula in make(scene)]
    unique = {tuple((e.line, e.column, e.after) for e in f.edits): f for f in reversed(found)}
    return sorted(unique.values(), key=lambda f: f.rank)


def _difference(scene: Scene) -> Iterator[Formula]:
    """`dZ = A - Y`: the adjoint of the logits where the quotient and the derivative of the sigmoid cancel on paper."""
    for line in scene.lines_after():
        statement = statement_at(scene.source, line)
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            continue
        target = ast.unparse(statement.targets[0])
        made = scene.made(statement)
        if made is None:
            continue
        known = list(scene.named(statement, made[1]))
        for text, output, labels in _pairs(known, made[0]):
            short = re.sub(r"self\.|\[[^\]]*\]", "", text)
            title = f"`{target} = {short}`" + ("" if short == text else f" (here `{text}`)")

            def error(a: Any = output, y: Any = labels, known: Any = known) -> float | None:
                from .nonfinite_precision import difference_error

                return difference_error(a, y, [v for _, v, _ in known])

            yield Formula(title, (edit_of(scene.source, statement.value, text),), 0, accuracy=error)
            return


def _pairs(known: Sequence[tuple[str, Any, int]], wanted: Any) -> Iterator[tuple[str, Any, Any]]:
    """Expressions `A - Y`, scaled if need be, that equal the finite elements of `wanted`."""
    arrays = [
        (n, np.asarray(v), i) for n, v, i in known if np.shape(v) == np.shape(wanted) and np.asarray(v).dtype.kind in "fiu"
    ]
    fine = np.isfinite(wanted)
    if fine.sum() < 4:
        return
    outputs = [(n, v) for n, v, _ in arrays if v.dtype.kind == "f" and np.isfinite(v).all() and v.min() >= 0 and v.max() <= 1]
    labels = [(n, v) for n, v, _ in arrays if np.isin(v, (0, 1)).all()]
    for (a, output), (y, label) in ((o, t) for t in labels for o in outputs if o[0] != t[0] and o[1] is not t[1]):
        difference = output - label
        big = np.abs(difference) > 1e-6
        use = fine & big
        if use.sum() < 4:
            continue
        factor = np.median(np.asarray(wanted)[use] / difference[use])
        if not np.allclose(np.asarray(wanted)[fine], factor * difference[fine], rtol=1e-5, atol=1e-9):
            continue
        if abs(factor - 1) < 1e-6:
            yield f"{a} - {y}", output, label
        elif abs(factor) > 0 and abs(1 / factor - round(1 / factor)) < 1e-4:
            yield f"({a} - {y}) / {round(1 / factor)}", output, label


def _shifted_softmax(scene: Scene) -> Iterator[Formula]:
    """`np.exp(z - max)`: the quotient of the softmax is the same, and no argument is above zero."""
    node = scene.node
    if scene.birth.cause.kind != "exp-overflow" or not isinstance(node, ast.Call) or len(node.args) != 1:
        return
    if not isinstance(node.func, ast.Attribute):
        return
    module = ast.unparse(node.func.value)
    z = ast.unparse(node.args[0])
    same = ast.unparse(node)
    function = scene.function(node)
    places = [n for n in ast.walk(scene.statement(node)) if isinstance(n, ast.Call) and ast.unparse(n) == same]
    for axis in _axes(function):
        options = "" if axis is None else f", axis={axis}, keepdims=True"
        after = f"{ast.unparse(node.func)}({z} - {module}.max({z}{options}))"
        yield Formula(f"shifted softmax, `{after}`", tuple(edit_of(scene.source, n, after) for n in places), 1)


def _axes(function: ast.AST) -> list[int | None]:
    """The axes that sums in the function run over, the usual one for rows last."""
    found: list[int | None] = []
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "sum":
            named = [k.value for k in node.keywords if k.arg == "axis"]
            given = [n.value for n in named if isinstance(n, ast.Constant) and isinstance(n.value, int)]
            found.extend(given or [None])
    return list(dict.fromkeys([*found, None]))[:3]


def _log_of_probability(scene: Scene) -> Iterator[Formula]:
    """`log(sigmoid(z))` as `-logaddexp(0, -z)`, `log(softmax(z))` as `z - max - log(sum(exp(z - max)))`."""
    node = scene.node
    if (
        not scene.birth.cause.kind.startswith("log-of")
        or not isinstance(node, ast.Call)
        or not isinstance(node.func, ast.Attribute)
    ):
        return
    module = ast.unparse(node.func.value)
    statement = scene.statement(node)
    arrays = list(scene.named(statement))
    edits, kinds = [], set()
    for call in ast.walk(statement):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == ast.unparse(node.func) and len(call.args) == 1:
            found = _logits_form(call.args[0], arrays, module)
            if found is None:
                return
            kinds.add(found[0])
            edits.append(edit_of(scene.source, call, found[1]))
    if edits:
        title = "log-sum-exp" if "softmax" in kinds else "log of the sigmoid from its argument"
        yield Formula(f"{title}, `{edits[0].after}`", tuple(edits), 1)


def _logits_form(argument: ast.expr, arrays: Sequence[tuple[str, Any, int]], module: str) -> tuple[str, str] | None:
    complement = (
        isinstance(argument, ast.BinOp) and isinstance(argument.op, ast.Sub) and ast.unparse(argument.left) in ("1", "1.0")
    )
    inner: ast.expr = argument.right if complement else argument  # type: ignore[attr-defined]
    index = ""
    text = ast.unparse(inner)
    known = {n: np.asarray(v) for n, v, _ in arrays}
    if text not in known and isinstance(inner, ast.Subscript):
        index, text = f"[{ast.unparse(inner.slice)}]", ast.unparse(inner.value)
    a = known.get(text)
    if a is None or a.dtype.kind != "f":
        return None
    with np.errstate(all="ignore"):
        for name, z in known.items():
            if z.shape != a.shape or z.dtype != a.dtype or z is a or not z.ndim:
                continue
            if same_values(1 / (1 + np.exp(-z)), a):
                sign = "" if complement else "-"
                return (
                    "sigmoid",
                    f"-{module}.logaddexp(0, {sign}{name}){index}"
                    if not index
                    else f"-{module}.logaddexp(0, {sign}{name}{index})",
                )
            if complement:
                continue
            for axis in range(z.ndim):
                e = np.exp(z - z.max(axis=axis, keepdims=True))
                if same_values(e / e.sum(axis=axis, keepdims=True), a):
                    shift = f"({name} - {module}.max({name}, axis={axis}, keepdims=True))"
                    return (
                        "softmax",
                        f"({shift} - {module}.log({module}.sum({module}.exp{shift}, axis={axis}, keepdims=True))){index}",
                    )
    return None


def _library_forms(scene: Scene) -> Iterator[Formula]:
    """`log(1 + exp(z))` as `logaddexp(0, z)`, `log(1 + x)` as `log1p(x)`, `sqrt(x**2 + y**2)` as `hypot(x, y)`."""
    if scene.node is None:
        return
    for call in ast.walk(scene.statement(scene.node)):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or len(call.args) != 1:
            continue
        module, name, argument = ast.unparse(call.func.value), call.func.attr, call.args[0]
        if not isinstance(argument, ast.BinOp) or not isinstance(argument.op, ast.Add):
            continue
        left, right = argument.left, argument.right
        if name == "log" and ast.unparse(left) in ("1", "1.0"):
            if isinstance(right, ast.Call) and ast.unparse(right.func) == f"{module}.exp":
                yield _swap(scene, call, f"{module}.logaddexp(0, {ast.unparse(right.args[0])})", "softplus")
            else:
                yield _swap(scene, call, f"{module}.log1p({ast.unparse(right)})", "log1p")
        elif name == "sqrt" and (x := _squared(left)) and (y := _squared(right)):
            yield _swap(scene, call, f"{module}.hypot({x}, {y})", "hypot")


def _squared(node: ast.expr) -> str | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and ast.unparse(node.right) in ("2", "2.0"):
        return ast.unparse(node.left)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and ast.unparse(node.left) == ast.unparse(node.right):
        return ast.unparse(node.left)
    return None


def _swap(scene: Scene, node: ast.AST, after: str, title: str) -> Formula:
    return Formula(f"{title}, `{after}`", (edit_of(scene.source, node, after),), 1)


_CHANGES = "it changes the gradient where the guard acts"


def _guards(scene: Scene) -> Iterator[Formula]:
    """The last resort: a clipped argument, an epsilon in the denominator. They change the gradient, and that is said."""
    node, kind = scene.node, scene.birth.cause.kind
    if node is None:
        return
    if kind.startswith("log-of") and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        module = ast.unparse(node.func.value)
        calls = [
            c
            for c in ast.walk(scene.statement(node))
            if isinstance(c, ast.Call) and ast.unparse(c.func) == ast.unparse(node.func)
        ]
        edits = tuple(
            edit_of(scene.source, c.args[0], f"{module}.maximum({ast.unparse(c.args[0])}, 1e-12)") for c in calls if c.args
        )
        yield Formula("the argument of the log clipped at 1e-12", edits, 8, _CHANGES)
    elif kind in ("division-by-zero", "zero-over-zero"):
        below = _denominator(node)
        if below is not None:
            after = f"({ast.unparse(below)} + 1e-8)"
            yield Formula("1e-8 added to the denominator", (edit_of(scene.source, below, after),), 9, _CHANGES)
    elif kind == "outside-domain" and isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Attribute):
        module, argument = ast.unparse(node.func.value), ast.unparse(node.args[0])
        clipped = f"{module}.maximum({argument}, 0)" if node.func.attr == "sqrt" else f"{module}.clip({argument}, -1, 1)"
        yield Formula(f"the argument clipped, `{clipped}`", (edit_of(scene.source, node.args[0], clipped),), 8, _CHANGES)
    elif kind == "exp-overflow" and isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Attribute):
        module, argument = ast.unparse(node.func.value), ast.unparse(node.args[0])
        after = f"{module}.minimum({argument}, {_exp_bound(scene)})"
        yield Formula(f"the argument clipped, `{after}`", (edit_of(scene.source, node.args[0], after),), 8, _CHANGES)


def _exp_bound(scene: Scene) -> int:
    types = {np.asarray(v).dtype.name for v in scene.birth.arrays.values()}
    return 10 if "float16" in types else 80 if "float32" in types else 700


def _denominator(node: ast.AST) -> ast.expr | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return node.right
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div):
        return node.value
    if (
        isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in ("divide", "true_divide")
        and len(node.args) >= 2
    ):
        return node.args[1]
    return None
