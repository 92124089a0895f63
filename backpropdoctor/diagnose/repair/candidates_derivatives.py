"""Derivatives of the usual activations, of the variables in scope, as a factor that is missing or wrong."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from .candidate import Candidate
from .candidates_formulas import slopes, terms_of
from .functions import kinks
from .scene import Scene, is_number

_FIXED = re.compile(r"\[-?\d+\]")  # one item of a list, whatever the layer
_MOST_FORMS = 120  # for values of one shape, the usual ones first
_MOST_OWN = 80  # of those that the user's program has
_NO_KINK = 0.2  # how much less simple a mask is of values at which the forward pass has no kink
_LONG = 0.6  # how much less simple than a missing part of a derivative it is that the whole is another one
_REDUCED = {"sum", "mean", "dot", "T"}  # what is called on a product that may lack a factor
_FUNCTIONS = {"tanh": "tanh", "exp": "exponential"}
SKIP = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.JoinedStr)


def derivatives(scene: Scene) -> Iterator[Candidate]:
    """Every derivative form in the place of a factor, and as a factor that is added."""
    whole = scene.shape(scene.value_node) if scene.value_node is not None else None
    for part in scene.parts:
        node = part.node
        if part.stored or part.is_function or part.in_index or isinstance(node, SKIP):
            continue
        shape = scene.shape(node)
        if shape is None or not shape and whole:
            continue  # no derivative is a mere number in the midst of arrays
        was = ast.unparse(node)
        factor = isinstance(part.parent, ast.BinOp) and isinstance(part.parent.op, (ast.Mult, ast.Div))
        factor = factor and was not in scene.trial.backward_names  # what is multiplied is not the derivative
        pure = _is_factor(node)
        if factor or pure or node is scene.value_node:
            for new, extra, words in forms(scene, shape):
                if new != was and not _is_made_longer(was, new, words):
                    kind = "wrong-derivative" if factor or pure else "other-value"
                    long = _LONG if words.get("whole") else 0.0
                    yield Candidate(2.0 + extra + long, node, new, kind, {"was": scene.text.of(node), "now": new, **words})
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and scene.shape(node.right) == shape:
            for new, extra, words in forms(scene, shape):
                words = {"was": f"1 / {scene.text.wrapped(node.right)}", "now": new, **words}
                yield Candidate(2.15 + extra, node, _times(scene.text.of(node.left), new), "wrong-derivative", words)
        if may_lack_factor(part, scene):
            text = scene.text.of(node) if product(node) else scene.text.wrapped(node)
            for new, extra, words in forms(scene, shape):
                outer = 0.0 if node is scene.value_node else 0.15
                words = {"was": scene.text.of(node), "now": new, **words}
                yield Candidate(2.1 + extra + outer, node, _times(text, new), "missing-derivative", words)


def chains(scene: Scene) -> Iterator[Candidate]:
    """A product of three or more in which all factors but one are replaced by one derivative: g * a * (1 - a)."""
    inner = {id(n.left) for n in (p.node for p in scene.parts) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mult)}
    for part in scene.parts:
        node = part.node
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)) or id(node) in inner or part.in_index:
            continue
        factors = chain(node)
        shape = scene.shape(node)
        if len(factors) < 3:
            continue
        for k, kept in enumerate(factors):
            if scene.shape(kept) == shape and k < 2:
                dropped = " * ".join(scene.text.wrapped(f) for j, f in enumerate(factors) if j != k)
                surplus = {"factor": dropped, "scalar": False}
                yield Candidate(1.3, node, scene.text.of(kept), "surplus-factor", surplus)
            rest = " * ".join(scene.text.wrapped(f) for j, f in enumerate(factors) if j != k)
            for new, extra, words in forms(scene, shape) if shape is not None else ():  # inside a comprehension
                text = f"{scene.text.wrapped(kept)} * {_as_factor(new)}"
                yield Candidate(2.2 + extra, node, text, "wrong-derivative", {**words, "was": rest, "now": new})


def chain(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return chain(node.left) + chain(node.right)
    return [node]


def product(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div))


def _times(text: str, form: str) -> str:
    """A product as a person writes it: `x / r` and not `x * (1 / r)`."""
    divided = re.fullmatch(r"1 / ([\w.]+( \*\* \d)?)", form)
    return f"{text} / {divided[1]}" if divided else f"{text} * {_as_factor(form)}"


@cache
def _as_factor(text: str) -> str:
    """A form as it stands behind a `*`: in brackets, unless it is a product or a call itself."""
    node = ast.parse(text, mode="eval").body
    alone = isinstance(node, (ast.Name, ast.Call, ast.Attribute, ast.Subscript))
    return text if alone or text.startswith("(") and _closes_at_end(text) or product(node) and "/" not in text else f"({text})"


def _closes_at_end(text: str) -> bool:
    depth = 0
    for k, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0 and k < len(text) - 1:
            return False
    return True


def _is_made_longer(was: str, new: str, words: dict[str, str]) -> bool:
    """Whether a derivative is what stands there with another term or factor: that is what is missing, then."""
    if "formula" not in words:
        return False
    made = ast.parse(new, mode="eval").body
    return any(was in (ast.unparse(p) for p in pieces(made)) for pieces in (chain, terms_of))


def _is_factor(node: ast.expr) -> bool:
    return isinstance(node, (ast.Compare, ast.BinOp)) and not isinstance(getattr(node, "op", None), ast.MatMult)


def may_lack_factor(part: object, scene: Scene) -> bool:
    node, parent = part.node, part.parent  # type: ignore[attr-defined]
    if node is scene.value_node:
        return True
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, (ast.Mult, ast.Div)):
        return False  # the product around it is tried
    if isinstance(parent, ast.Attribute) and (parent.attr not in _REDUCED or _is_module(node, scene)):
        return False
    return isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.BinOp, ast.Call))


def _is_module(node: ast.expr, scene: Scene) -> bool:
    return isinstance(node, ast.Name) and node.id == scene.numpy


def forms(scene: Scene, shape: tuple[int, ...]) -> list[tuple[str, float, dict[str, str]]]:
    """(text, how unusual, words) of the derivative forms whose values have this shape."""
    known = scene.__dict__.setdefault("_forms", {})
    if shape not in known:
        there = {n.id for n in ast.walk(scene.statement) if isinstance(n, ast.Name)}
        rows = list({f[0]: f for f in _made(scene, shape)}.values())
        rows.sort(key=lambda f: f[1] - 0.4 * (f[2]["of"] in there))  # what the statement reads already comes first
        own = [f for f in rows if "call" in f[2]][:_MOST_OWN]
        rows = [*own, *[f for f in rows if "call" not in f[2]][:_MOST_FORMS]]
        rows = [f for f in rows if "call" not in f[2] or _fits(scene, f[0], shape)]
        worked_out = [
            (
                s.text,
                0.3 if s.is_part else 0.15,
                {"function": "", "of": s.of, "formula": s.formula, "whole": "" if s.is_part else "yes"},
            )
            for s in slopes(scene)
            if s.shape == shape and all(s.text != f[0] for f in rows)
        ]
        known[shape] = sorted([*rows, *worked_out], key=lambda f: f[1])
    return known[shape]


def _fits(scene: Scene, text: str, shape: tuple[int, ...]) -> bool:
    from .sizes import affordable

    if not affordable(scene, ast.parse(text)):
        return False
    value = scene.evaluate(text)
    return is_number(value) and np.shape(value) == shape


def _made(scene: Scene, shape: tuple[int, ...]) -> Iterator[tuple[str, float, dict[str, str]]]:
    rows = [v for v in scene.of_shape(shape) if not scene.is_backward(v)][:30]
    here = scene.local_names
    applied = _applied(scene, shape, [np.asarray(v.value) for v in rows]) if scene.numpy else []
    for v in rows:
        x = v.text
        root = x.split(".")[0].split("[")[0]
        unread, fixed = root not in here, bool(_FIXED.search(x))
        far = 0.45 if unread and fixed else 0.3 if unread or fixed else 0.0
        values = np.asarray(v.value, dtype=float)
        if not np.all(np.isfinite(values)):
            continue
        if np.all((values >= 0) & (values <= 1)) and np.any(values * (1 - values)):
            yield f"{x} * (1 - {x})", far, {"function": "sigmoid", "of": x}
        if np.all(np.abs(values) <= 1) and np.any(1 - values**2):
            yield f"1 - {x} ** 2", far, {"function": "tanh", "of": x}
        if shape:
            yield f"({x} > 0)", far + _unlikely(scene, values), {"function": "ReLU", "of": x}
        else:
            yield f"(1.0 if {x} > 0 else 0.0)", far, {"function": "ReLU", "of": x}
        yield from _user_forms(scene, x, far)
        if scene.numpy:
            known = {name for name, value in applied if np.array_equal(value, values)}
            for new, extra, words in _long_forms(scene, x, far):
                yield new, far - 0.1 if words["function"] in known and extra <= far + 0.2 else extra, words
        yield f"2 * {x}", far + 0.2, {"function": "square", "of": x}
        if np.all(values != 0):
            yield f"1 / {x}", far + 0.2, {"function": "logarithm", "of": x}
        if np.all(values > 0) and np.any(values != np.round(values)):
            for power in (2, 3):  # of a deviation, in a normalisation
                yield f"1 / {x} ** {power}", far + 0.3, {"function": "power", "of": x}
    for left in rows:
        for right in rows:
            if left is not right and shape and _is_sigmoid_of(left.value, right.value):
                new = f"{left.text} + {right.text} * {left.text} * (1 - {left.text})"
                yield new, 0.4, {"function": "swish", "of": right.text}
    if scene.numpy:
        for z in rows:
            for a in rows:
                if a is not z and z.text.split(".")[0].split("[")[0] in here and not _FIXED.search(z.text + a.text):
                    for c in scene.constants:
                        words = {"function": "ELU", "of": z.text}
                        yield f"{scene.numpy}.where({z.text} > 0, 1, {a.text} + {c!r})", 0.6, words
                    yield f"{scene.numpy}.where({z.text} > 0, 1, {a.text} + 1)", 0.5, {"function": "ELU", "of": z.text}


def _unlikely(scene: Scene, values: np.ndarray) -> float:
    """How unusual a mask of values is: less so where the forward pass has a kink at them."""
    known = scene.once(kinks)
    return 0.0 if not known or any(np.array_equal(k, values) for k in known) else _NO_KINK


def _applied(scene: Scene, shape: tuple[int, ...], near: Sequence[np.ndarray]) -> list[tuple[str, np.ndarray]]:
    """The functions of NumPy's that are applied to values of a shape, with those values: their derivatives come first.

    Not where what they made is `near`, in a variable: the derivative is said with that one.
    """
    replay, found = scene.trial.replay, []
    for node in replay.tape.nodes:
        name = _FUNCTIONS.get(node.name) if node.kind == "op" else None
        if name is not None and np.shape(node.value) == shape and not any(np.array_equal(node.value, v) for v in near):
            found += [(name, np.asarray(replay.base(i))) for i in node.inputs() if np.shape(replay.base(i)) == shape]
    return found


def _is_sigmoid_of(s: np.ndarray, x: np.ndarray) -> bool:
    with np.errstate(all="ignore"):
        return bool(np.allclose(s, 1 / (1 + np.exp(-np.asarray(x, dtype=float))), rtol=1e-5, atol=1e-8))


def _long_forms(scene: Scene, x: str, far: float) -> Iterator[tuple[str, float, dict[str, str]]]:
    np_ = scene.numpy
    yield f"1 - {np_}.tanh({x}) ** 2", far + 0.1, {"function": "tanh", "of": x}
    yield f"{np_}.exp({x})", far + 0.2, {"function": "exponential", "of": x}
    yield f"1 / (1 + {np_}.exp(-{x}))", far + 0.3, {"function": "softplus", "of": x}
    yield f"1 - {np_}.exp(-{x})", far + 0.4, {"function": "softplus", "of": x}  # of what it made
    sigmoid = f"1 / (1 + {np_}.exp(-{x}))"
    yield f"{np_}.exp(-{x}) / (1 + {np_}.exp(-{x})) ** 2", far + 0.4, {"function": "sigmoid", "of": x, "s": sigmoid}
    rates = [v.text for v in scene.scalars if isinstance(v.value, float) and 0 < v.value < 1]
    read = {ast.unparse(n) for n in ast.walk(scene.statement) if isinstance(n, (ast.Name, ast.Attribute))}
    slopes = [t for t in rates if t in read] + [repr(c) for c in scene.constants] + rates[:4]
    for c in slopes:
        yield f"{np_}.where({x} > 0, 1, {c})", far + 0.1, {"function": "leaky ReLU", "of": x}
        yield f"{np_}.where({x} > 0, 1, {c} * {np_}.exp({x}))", far + 0.4, {"function": "ELU", "of": x}
    yield f"{np_}.where({x} > 0, 1, {np_}.exp({x}))", far + 0.4, {"function": "ELU", "of": x}
    inner = f"{np_}.tanh({np_}.sqrt(2 / {np_}.pi) * ({x} + 0.044715 * {x} ** 3))"
    slope = f"{np_}.sqrt(2 / {np_}.pi) * (1 + 3 * 0.044715 * {x} ** 2)"
    yield f"0.5 * (1 + {inner}) + 0.5 * {x} * (1 - {inner} ** 2) * {slope}", far + 0.6, {"function": "GELU", "of": x}


def _user_forms(scene: Scene, x: str, far: float) -> Iterator[tuple[str, float, dict[str, str]]]:
    """The user's own functions and idioms, applied to a variable."""
    for template in scene.once(_templates):
        yield template.replace("\0", x), far, {"function": "", "of": x, "call": template.replace("\0", x)}
    for name, f in scene.functions.items():
        if f.__code__.co_argcount - len(f.__defaults__ or ()) <= 1 <= f.__code__.co_argcount:
            yield f"{name}({x})", far + 0.05, {"function": "", "of": x, "call": f"{name}({x})"}
            if "sigm" in name.lower() or "logist" in name.lower():
                yield f"{name}({x}) * (1 - {name}({x}))", far + 0.1, {"function": "sigmoid", "of": x}


def _templates(scene: Scene) -> list[str]:
    """One-variable expressions of the file that look like derivatives, with a hole for the variable."""
    found: dict[str, None] = {}
    for node in scene.walked:
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            low = name.lower()
            if any(w in low for w in ("deriv", "prime", "grad", "nonlin", "activ", "_d", "d_", "sigm", "tanh", "relu")):
                holes = [a for a in node.args if not isinstance(a, ast.Constant)]
                if len(holes) == 1 and isinstance(holes[0], (ast.Name, ast.Attribute, ast.Subscript)):
                    found[_with_hole(node, holes[0])] = None
        elif isinstance(node, (ast.BinOp, ast.Compare)):
            paths = [n for n in ast.walk(node) if isinstance(n, ast.Name) and n.id != scene.numpy]
            names = {n.id for n in paths}
            size = sum(1 for _ in ast.walk(node))
            if (
                len(names) == 1
                and size <= 16
                and not any(
                    isinstance(n, (ast.Subscript, ast.Attribute)) and isinstance(n.value, ast.Name) and n.value.id in names
                    for n in ast.walk(node)
                )
            ):
                if any(isinstance(n, ast.Constant) for n in ast.walk(node)) and not any(
                    isinstance(n, (ast.JoinedStr, ast.MatMult, ast.Mod, ast.FloorDiv, ast.Eq, ast.Str)) for n in ast.walk(node)
                ):
                    found[_with_hole(node, *paths)] = None
    return list(found)[:24]


def _with_hole(node: ast.expr, *holes: ast.expr) -> str:
    import copy

    memo = {id(h): ast.Name("HOLE__", ast.Load()) for h in holes}
    return ast.unparse(copy.deepcopy(node, memo)).replace("HOLE__", "\0")
