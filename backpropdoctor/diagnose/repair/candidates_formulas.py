"""The derivatives of the program's own formulas, such as that of a GELU written out, and the terms these consist of."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .calculus import PATHS, NoRuleError, derivative, is_zero, substituted
from .candidate import Candidate
from .expression import Text
from .scene import Scene, is_number

_MOST_FORMULAS = 40  # of the forward pass
_MOST_ARGUMENTS = 30  # variables that a formula may have been applied to
_LONGEST = 60  # nodes of a formula
_RIGHT, _MADE_RIGHT = 1.0, -0.5  # what is added to the cost of an edit of an operand


@dataclass(frozen=True, slots=True)
class Slope:
    """The derivative of a formula, or of a part of one, by the variable `of`, and the shape of its values."""

    text: str
    of: str
    formula: str
    shape: tuple[int, ...]
    is_part: bool
    terms: tuple[str, ...]


def slopes(scene: Scene) -> list[Slope]:
    """The derivatives of what the forward pass computes element by element, at the variables that it computed it of."""
    return scene.once(_all_slopes)


def slope_terms(scene: Scene) -> Iterator[Candidate]:
    """One term of a formula's derivative added to what may be the rest of it."""
    for slope in slopes(scene):
        for part in scene.parts if len(slope.terms) > 1 else ():
            node = part.node
            if part.stored or part.in_index or part.is_function or scene.shape(node) != slope.shape:
                continue
            if isinstance(node, (ast.BinOp, ast.Call, *PATHS)) and ast.unparse(node) not in scene.trial.backward_names:
                for term in slope.terms:
                    new = f"{scene.text.of(node)} + {term}"
                    yield Candidate(2.25, node, new, "missing-term", {"term": term, "sign": "+"})


def as_slope(scene: Scene, c: Candidate) -> float:
    """How much likelier an edit of an operand's assignment is that makes the operand the derivative of a part of a formula.

    Where it is that already, it is right, and no edit of it is likely.
    """
    helper = scene.here(_helper)
    if helper.state != "other":
        return _RIGHT if helper.state == "right" else 0.0
    if c.statement is not None or c.redirect or id(c.old) not in helper.parts:
        return 0.0
    made = helper.text.replaced(c.old, c.new)
    value = getattr(made[0], "value", None) if made is not None else None
    return _MADE_RIGHT if value is not None and _is_among(scene.worked_out(value), scene.once(_slope_values)) else 0.0


@dataclass(frozen=True, slots=True)
class _Helper:
    """The assignment of an operand: what it makes, its text, and the identities of its parts."""

    state: str
    text: Text
    parts: frozenset[int]


def _helper(scene: Scene) -> _Helper:
    helper = scene.origin or scene.statement
    text = scene.text if helper is scene.statement else Text(helper, scene.place.path)
    return _Helper(_state(scene, helper), text, frozenset(id(n) for n in ast.walk(helper)))


def _state(scene: Scene, helper: ast.stmt) -> str:
    """Whether an assignment makes the derivative of a part of a formula ('right'), or of what it might ('other')."""
    if not isinstance(helper, ast.Assign) or _reads_backward(scene, helper.value):
        return "none"
    if helper.lineno in scene.trial.forward_lines(scene.place):
        return "none"
    value = scene.evaluate(ast.unparse(helper.value))
    if not is_number(value) or not any(np.shape(value) == np.shape(known) for known in scene.once(_slope_values)):
        return "none"
    return "right" if _is_among(value, scene.once(_slope_values)) else "other"


def _slope_values(scene: Scene) -> list[Any]:
    return [scene.evaluate(s.text) for s in slopes(scene)]


def _reads_backward(scene: Scene, node: ast.expr) -> bool:
    return any(isinstance(n, PATHS) and ast.unparse(n) in scene.trial.backward_names for n in ast.walk(node))


def _is_among(value: Any, known: Sequence[Any]) -> bool:
    return is_number(value) and any(np.shape(value) == np.shape(k) and _is_same(value, k) for k in known)


def _is_same(value: Any, other: Any) -> bool:
    """Whether two arrays of a shape are equal but for roundoff; what is not a number is equal to nothing."""
    other = np.asarray(other, dtype=float)
    with np.errstate(all="ignore"):
        return bool(np.all((value == other) | (np.abs(value - other) <= 1e-9 * np.abs(other))))


def _all_slopes(scene: Scene) -> list[Slope]:
    return list(_slopes(scene)) if scene.numpy else []


def _slopes(scene: Scene) -> Iterator[Slope]:
    done: set[str] = set()
    for formula, own, line, variables in _bent_formulas(scene):
        for variable in variables:
            for argument in _arguments(scene, formula, variable, own, line):
                applied = substituted(formula, variable, argument)
                inner = {name: substituted(f, variable, argument) for name, f in own.items()}
                names = {ast.unparse(f): n for n, f in inner.items() if scene.known_shape(n) is not None}
                for part in _parts(applied):
                    slope = _slope(scene, part, argument, inner, names, part is not applied)
                    if slope is not None and slope.text not in done:
                        done.add(slope.text)
                        yield slope


def _bent_formulas(scene: Scene) -> list[tuple[ast.expr, dict[str, ast.expr], int, list[str]]]:
    """The formulas of the forward pass with the variables that they, or parts of them, are no straight function of."""
    known = scene.trial.formulas
    if scene.place.path not in known:
        rows = []
        for formula, own, line in _formulas(scene):
            parts = _parts(formula)
            bent = [v for v in _read(formula, own) if any(_slope_of(part, v, own, {}) is not None for part in parts)]
            rows.append((formula, own, line, bent))
        known[scene.place.path] = rows
    return known[scene.place.path]


def _slope_of(formula: ast.expr, variable: str, own: dict[str, ast.expr], names: dict[str, str]) -> ast.expr | None:
    """The derivative of a formula by a variable, where there is a rule for it and it is not the same everywhere."""
    try:
        found = derivative(formula, variable, own, names)
    except NoRuleError:
        return None
    straight = is_zero(found) or not any(isinstance(n, (ast.Compare, ast.Call)) or _is(n, variable) for n in ast.walk(found))
    return None if straight else found


def _slope(
    scene: Scene, formula: ast.expr, argument: str, own: dict[str, ast.expr], names: dict[str, str], is_part: bool
) -> Slope | None:
    found = _slope_of(formula, argument, own, names)
    if found is None:
        return None
    text = ast.unparse(found)
    value = scene.evaluate(text)
    if not is_number(value):
        return None
    return Slope(text, argument, ast.unparse(formula), np.shape(value), is_part, tuple(ast.unparse(t) for t in terms_of(found)))


def _is(node: ast.AST, text: str) -> bool:
    return isinstance(node, PATHS) and ast.unparse(node) == text


def terms_of(node: ast.expr) -> list[ast.expr]:
    """The terms of a sum, or the expression itself."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*terms_of(node.left), *terms_of(node.right)]
    return [node]


def _parts(formula: ast.expr) -> list[ast.expr]:
    """A formula and the operations in it."""
    return [n for n in ast.walk(formula) if isinstance(n, (ast.BinOp, ast.Call))]


def _formulas(scene: Scene) -> Iterator[tuple[ast.expr, dict[str, ast.expr], int]]:
    """The expressions on the lines of the forward pass, each with those that its function assigns, and its line."""
    lines = scene.trial.forward_lines(scene.place)
    count = 0
    for scope in [n for n in scene.walked if isinstance(n, (ast.FunctionDef, ast.Module))]:
        inside = [s for s in _statements(scope) if isinstance(s, (ast.Assign, ast.Return)) and s.lineno in lines]
        own: dict[str, ast.expr] = {}
        for s in inside:
            if isinstance(s, ast.Assign) and s.value is not None:
                own |= {ast.unparse(t): s.value for t in s.targets if isinstance(t, PATHS)}
        for s in inside:
            if isinstance(s.value, (ast.BinOp, ast.Call)) and sum(1 for _ in ast.walk(s.value)) <= _LONGEST:
                count += 1
                if count > _MOST_FORMULAS:
                    return
                targets = {ast.unparse(t) for t in s.targets} if isinstance(s, ast.Assign) else set()
                yield s.value, {n: f for n, f in own.items() if n not in targets}, s.lineno


def _statements(scope: ast.AST) -> Iterator[ast.stmt]:
    """The statements of a function or module, without those of the functions in it."""
    for child in ast.iter_child_nodes(scope):
        if isinstance(child, ast.stmt) and not isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            yield child
            yield from _statements(child)


def _read(formula: ast.expr, own: dict[str, ast.expr]) -> list[str]:
    """The variables that a formula is made of, with those of the formulas in it."""
    found: dict[str, None] = {}
    stack = [formula]
    while stack:
        for n in ast.walk(stack.pop()):
            text = ast.unparse(n) if isinstance(n, PATHS) else ""
            if text and text not in found:
                found[text] = None
                stack += [own[text]] if text in own else []
    return list(found)


def _arguments(scene: Scene, formula: ast.expr, variable: str, own: dict[str, ast.expr], line: int) -> list[str]:
    """The variables at the statement with which a formula gives what the forward pass computed with it."""
    word = variable.split(".")[-1]
    held = scene.trial.values_of(variable)
    near = [v for v in scene.arrays if scene.is_near(v.text) and not scene.is_backward(v)]
    rows = [v.text for v in near if not held or any(np.array_equal(v.value, h) for h in held)]
    rows.sort(key=lambda t: t.split(".")[-1] != word)
    found = []
    for text in rows[:_MOST_ARGUMENTS]:
        if text != variable and text in own:
            continue
        expanded = _expanded(substituted(formula, variable, text), own, scene)
        if _was_computed(scene, scene.evaluate(ast.unparse(expanded)), line):
            found.append(text)
            break
    return found


def _expanded(formula: ast.expr, own: dict[str, ast.expr], scene: Scene, depth: int = 0) -> ast.expr:
    """A formula with the formulas of the variables that are not there at the statement."""
    for n in ast.walk(formula) if depth < 4 else ():
        text = ast.unparse(n) if isinstance(n, PATHS) else ""
        if text in own and scene.known_shape(text) is None:
            return _expanded(substituted(formula, text, f"({ast.unparse(own[text])})"), own, scene, depth + 1)
    return formula


def _was_computed(scene: Scene, value: Any, line: int) -> bool:
    if not is_number(value):
        return False
    made = scene.trial.made_on(scene.place.path, line)
    return any(np.array_equal(value, m) for m in made if np.shape(m) == np.shape(value))
