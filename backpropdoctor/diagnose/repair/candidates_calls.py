"""Calls: another function, the arguments exchanged, another axis, keepdims, a sum for a mean, a reduction dropped or added."""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Iterator
from itertools import combinations

from .candidate import Candidate
from .scene import Scene

_REDUCTIONS = {"sum": "mean", "mean": "sum", "average": "sum"}
_RESHAPES = ("reshape", "ravel", "flatten", "squeeze")
_FAMILIES = (
    ("tanh", "exp", "log", "sin", "cos", "square", "sqrt", "abs", "fabs", "sign", "cosh", "sinh"),
    ("maximum", "minimum"),
)
_PRODUCTS = {"dot", "matmul", "multiply", "outer", "inner"}


def calls(scene: Scene) -> Iterator[Candidate]:
    """All edits of the calls in a statement."""
    for part in scene.parts:
        node = part.node
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        yield from _axes(scene, node, name)
        if name in _PRODUCTS and len(node.args) >= 1:
            yield from _products(scene, node, name)
        elif len(node.args) == 2 and not node.keywords and scene.shape(node) is not None:
            yield Candidate(1.2, node, _call(node, args=[node.args[1], node.args[0]]), "wrong-variable", {"was": "", "now": ""})
        if name in _REDUCTIONS:
            yield from _contractions(scene, node, 1.05 if _REDUCTIONS[name] == "sum" and not node.keywords else 0.98)
        if name == "where" and len(node.args) == 3:
            branches = _call(node, args=[node.args[0], node.args[2], node.args[1]])
            yield Candidate(1.0, node, branches, "wrong-derivative-function", {"was": scene.text.of(node), "now": branches})
        yield from _functions(scene, node, name)
        yield from _dropped(scene, node, name)
    yield from added_reductions(scene)
    yield from left_out(scene)


def left_out(scene: Scene) -> Iterator[Candidate]:
    """A function of the user's that nothing calls, called on the value: `d = d` where `d = softplus_backward(d, cache)` was."""
    whole = scene.value_node
    if whole is None or not scene.shape(whole):
        return
    used = scene.once(_used)
    names = [n for n in scene.moment.locals or scene.moment.globals if n in scene.local_names][:16]
    text = scene.text.of(whole)
    for name, f in scene.functions.items():
        count = f.__code__.co_argcount - len(f.__defaults__ or ())
        if name in used or count not in (1, 2):
            continue
        rests = [()] if count == 1 else [(n,) for n in names if n != text]
        for rest in rests:
            new = f"{name}({', '.join((text, *rest))})"
            yield Candidate(1.6, whole, new, "missing-derivative", {"was": text, "now": new, "call": new})


def _used(scene: Scene) -> set[str]:
    """All names that the program has."""
    return {n.id for n in scene.walked if isinstance(n, ast.Name)}


def _call(node: ast.Call, func: str | None = None, args: list[ast.expr] | None = None, keywords: list | None = None) -> str:
    made = copy.copy(node)
    if func is not None:
        made.func = ast.parse(func, mode="eval").body
    if args is not None:
        made.args = args
    if keywords is not None:
        made.keywords = keywords
    return ast.unparse(made)


def _axes(scene: Scene, node: ast.Call, name: str) -> Iterator[Candidate]:
    inner = node.args[0] if node.args and not _is_method(scene, node) else getattr(node.func, "value", None)
    rank = len(scene.shape(inner) or (0, 0)) if inner is not None else 2
    for keyword in node.keywords:
        if keyword.arg == "axis":
            was = ast.unparse(keyword.value)
            for new in ["None", *_choices(rank)]:
                if new != was:
                    words = {"was": f"axis={was}", "now": f"axis={new}"}
                    yield Candidate(1.0, keyword.value, new, "wrong-axis", words)
            rest = [k for k in node.keywords if k is not keyword]
            yield Candidate(1.2, node, _call(node, keywords=rest), "wrong-axis", {"was": f"axis={was}", "now": "no axis"})
        elif keyword.arg == "keepdims" and isinstance(keyword.value, ast.Constant):
            new = str(not keyword.value.value)
            yield Candidate(
                1.0,
                keyword.value,
                new,
                "shape-drift",
                {"was": f"keepdims={keyword.value.value!r}", "now": f"keepdims={new}"},
            )
        elif keyword.arg == "out":
            rest = [k for k in node.keywords if k is not keyword]
            shared = {"line": node.lineno, "what": f"out={ast.unparse(keyword.value)}"}
            yield Candidate(0.95, node, _call(node, keywords=rest), "alias", shared)
        elif isinstance(keyword.value, ast.Constant) and isinstance(keyword.value.value, bool):
            yield Candidate(
                1.1,
                keyword.value,
                str(not keyword.value.value),
                "wrong-derivative-function",
                {"was": ast.unparse(node)},
            )
    for arg in node.args:
        if isinstance(arg, ast.Constant) and isinstance(arg.value, bool):
            yield Candidate(1.1, arg, str(not arg.value), "wrong-derivative-function", {"was": ast.unparse(node)})
        elif (
            isinstance(arg, ast.Constant) and type(arg.value) is int and name in {*_REDUCTIONS, "max", "argmax", "concatenate"}
        ):
            for k in range(rank):
                if k != arg.value:
                    yield Candidate(1.0, arg, str(k), "wrong-axis", {"was": f"axis {arg.value}", "now": f"axis {k}"})
    if name in _REDUCTIONS:
        has = {k.arg for k in node.keywords} | ({"axis"} if len(node.args) > (0 if _is_method(scene, node) else 1) else set())
        if "axis" not in has:
            for axes in _choices(rank):
                keep = [ast.keyword("axis", ast.parse(axes, mode="eval").body)]
                words = {"was": "a sum over everything", "now": f"axis={axes}"}
                yield Candidate(1.2, node, _call(node, keywords=node.keywords + keep), "wrong-axis", words)
                full = keep + [ast.keyword("keepdims", ast.Constant(True))]
                if "keepdims" not in has:
                    yield Candidate(1.3, node, _call(node, keywords=node.keywords + full), "wrong-axis", words)
        elif "keepdims" not in has:
            full = node.keywords + [ast.keyword("keepdims", ast.Constant(True))]
            yield Candidate(
                1.1, node, _call(node, keywords=full), "shape-drift", {"was": "no keepdims", "now": "keepdims=True"}
            )


def _choices(rank: int) -> list[str]:
    """The axes that a reduction may go over: one, or several but not all."""
    several = (axes for count in (2, 3) for axes in combinations(range(rank), count) if count < rank)
    return [*map(str, range(rank)), *map(str, several)]


def _is_method(scene: Scene, node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and not (
        isinstance(node.func.value, ast.Name) and node.func.value.id == scene.numpy
    )


def _products(scene: Scene, node: ast.Call, name: str) -> Iterator[Candidate]:
    if _is_method(scene, node):
        left, right = node.func.value, node.args[0]  # type: ignore[attr-defined]
    elif len(node.args) == 2:
        left, right = node.args
    else:
        return
    a, b = scene.text.wrapped(left), scene.text.wrapped(right)
    np_ = scene.numpy or "np"
    if name in ("dot", "matmul", "inner"):
        yield Candidate(1.0, node, f"{a} * {b}", "matrix-product-for-elementwise", {})
        swapped = (
            f"{b}.{name}({scene.text.of(left)})"
            if _is_method(scene, node)
            else f"{np_}.{name}({scene.text.of(right)}, {scene.text.of(left)})"
        )
        yield Candidate(1.1, node, swapped, "transposed", {"what": "the factors are in the wrong order"})
        yield Candidate(1.2, node, f"{scene.text.of(node)}.T", "transposed", {"what": "the product is the transpose"})
    elif name == "outer":
        yield Candidate(
            1.0,
            node,
            f"{np_}.outer({scene.text.of(right)}, {scene.text.of(left)})",
            "transposed",
            {"what": "the factors are in the wrong order"},
        )
        yield Candidate(1.1, node, f"{a} * {b}", "matrix-product-for-elementwise", {})
    else:
        for x, y, cost in ((a, b, 1.0), (f"{a}.T", b, 1.3), (a, f"{b}.T", 1.3)):
            yield Candidate(cost, node, f"{x} @ {y}", "elementwise-for-matrix-product", {})


def _contractions(scene: Scene, node: ast.Call, cost: float) -> Iterator[Candidate]:
    """A sum or mean of an elementwise product written as the matrix product."""
    inner = node.func.value if _is_method(scene, node) else node.args[0] if node.args else None  # type: ignore[attr-defined]
    if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Mult):
        a, b = scene.text.wrapped(inner.left), scene.text.wrapped(inner.right)
        for new in (f"{a} @ {b}", f"{b} @ {a}", f"{a}.T @ {b}", f"{b}.T @ {a}"):
            yield Candidate(cost, node, new, "elementwise-for-matrix-product", {})


def _functions(scene: Scene, node: ast.Call, name: str) -> Iterator[Candidate]:
    """Another function of the user's, or of NumPy's, called on the same arguments."""
    if name in _REDUCTIONS and isinstance(node.func, ast.Attribute):
        other = f"{ast.unparse(node.func.value)}.{_REDUCTIONS[name]}"
        yield Candidate(1.0, node.func, other, "scaled", {"was": name, "now": _REDUCTIONS[name]})
    if isinstance(node.func, ast.Name) and node.func.id in scene.functions:
        mine = scene.functions[node.func.id].__code__.co_argcount
        for other, f in scene.functions.items():
            if other != node.func.id and f.__code__.co_argcount == mine:
                yield Candidate(1.0, node.func, other, "wrong-derivative-function", {"was": name, "now": other})
    elif isinstance(node.func, ast.Attribute) and _is_method(scene, node):
        for other in _methods(scene, node.func.value):
            if other != name:
                new = f"{scene.text.of(node.func.value)}.{other}"
                yield Candidate(1.1, node.func, new, "wrong-derivative-function", {"was": name, "now": other})
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        owner = node.func.value.id
        family = next((f for f in _FAMILIES if name in f), ())
        for other in family if owner == scene.numpy or (owner in scene.once(_names_of_math) and hasattr(math, name)) else ():
            if other != name and (owner == scene.numpy or hasattr(math, other)):
                words = {"was": name, "now": other}
                yield Candidate(1.1, node.func, f"{owner}.{other}", "wrong-derivative-function", words)


def _names_of_math(scene: Scene) -> set[str]:
    """What the program calls the module `math`."""
    found = (a for n in scene.walked if isinstance(n, ast.Import) for a in n.names)
    return {a.asname or a.name for a in found if a.name == "math"}


def _methods(scene: Scene, owner: ast.expr) -> list[str]:
    value = scene.value(owner)
    cls = type(value)
    if cls.__module__ != "__main__" and cls.__module__ not in scene.moment.namespace.get("__name__", ""):
        return []
    return [k for k, v in vars(cls).items() if callable(v) or isinstance(v, staticmethod) if not k.startswith("__")]


def _dropped(scene: Scene, node: ast.Call, name: str) -> Iterator[Candidate]:
    """The call left out, its argument kept."""
    inner = None
    if _is_method(scene, node) and isinstance(node.func, ast.Attribute) and name in (*_REDUCTIONS, *_RESHAPES, "copy"):
        inner = node.func.value
    elif len(node.args) >= 1 and isinstance(node.func, (ast.Attribute, ast.Name)):
        inner = node.args[0]
    if inner is not None and scene.shape(inner) is not None:
        kind = "wrong-axis" if name in _REDUCTIONS else "shape-drift" if name in _RESHAPES else "wrong-derivative-function"
        yield Candidate(1.1, node, scene.text.of(inner), kind, {"was": scene.text.of(node), "now": scene.text.of(inner)})


def added_reductions(scene: Scene) -> Iterator[Candidate]:
    """A sum over an axis that is missing; (n,) written as (n, 1)."""
    whole = scene.value_node
    for part in scene.parts:
        node = part.node
        if (
            part.stored
            or part.is_function
            or part.in_index
            or not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.BinOp, ast.Call))
        ):
            continue
        shape = scene.shape(node)
        if not shape:
            continue
        text, bare = scene.text.wrapped(node), scene.text.of(node)
        if node is whole and scene.numpy and len(shape) <= 4:
            for axes in _choices(len(shape)):
                for keep in ("", ", keepdims=True"):
                    new = f"{scene.numpy}.sum({bare}, axis={axes}{keep})"
                    yield Candidate(1.6, node, new, "missing-reduction", {"now": f"axis={axes}"})
            yield Candidate(1.7, node, f"{scene.numpy}.sum({bare})", "missing-reduction", {"now": "a sum"})
        if not isinstance(node, (ast.BinOp, ast.Call)) or node is whole:
            if len(shape) == 1:
                yield Candidate(
                    1.5, node, f"{text}.reshape(-1, 1)", "shape-drift", {"was": f"{shape}", "now": f"({shape[0]}, 1)"}
                )
            elif len(shape) == 2 and 1 in shape:
                yield Candidate(1.5, node, f"{text}.ravel()", "shape-drift", {"was": f"{shape}", "now": f"({max(shape)},)"})
