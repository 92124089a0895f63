"""Faults of the forward pass and of the loss, where the backward pass is right: judged by the program's own loss."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from programs import Program
from programs import measure as m

from .expressions import Place, mutations
from .mutate import Variant, replaced, splice, target_of
from .oracle import Decision, limited
from .scope import Scope, scopes

RIGHT, WRONG = 1e-6, 1e-4  # of the gradient's size; the differences reach about 1e-9


def forward_variants(program: Program) -> list[Variant]:
    """Variants that take a reduction of the forward pass along another axis, or change the loss's scale."""
    tree = ast.parse(program.source)
    found: dict[str, Variant] = {}
    forward = list(_forward(tree, program))
    known = scopes(replace(program, backward=tuple((s.lineno, s.lineno) for s in forward)))
    for statement in forward:
        scope = known.get(statement.lineno, Scope())
        original = ast.get_source_segment(program.source, statement) or ""
        for node in ast.walk(statement.value):  # type: ignore[attr-defined]
            if not isinstance(node, ast.expr):
                continue
            for mistake, new in mutations(node, Place(scope, is_function=_is_function(statement, node))):
                named = _named(mistake, original)
                text = splice(statement, original, node, new) if named else None
                if named and text is not None:
                    made = replaced(program, named, statement, text, target_of(tree, statement))
                    found.setdefault(made.source, made)
    return list(found.values())


def _forward(tree: ast.AST, program: Program) -> Iterator[ast.stmt]:
    """The one-line statements of loops and functions that are no part of the backward pass."""
    for node in ast.walk(tree):
        if not isinstance(node, (ast.For, ast.FunctionDef)) or getattr(node, "name", "") == "__init__":
            continue
        for s in node.body:
            inside = any(a <= s.lineno <= b for a, b in program.backward)
            simple = isinstance(s, (ast.Assign, ast.AugAssign, ast.Return)) and s.lineno == s.end_lineno
            if simple and not inside and getattr(s, "value", None) is not None:
                yield s


def _is_function(statement: ast.stmt, node: ast.expr) -> bool:
    return any(isinstance(n, ast.Call) and n.func is node for n in ast.walk(statement))


def _named(mistake: str, text: str) -> str | None:
    """Which of the rules apply to a forward pass, and what the fault is called there."""
    if mistake == "wrong-axis":
        return "forward-axis"
    if mistake in ("scaled", "double-reduction") and ("loss" in text or "cost" in text or "np.log(" in text):
        return "uniform-scale"
    return None


def decide_forward(program: Program, variant: Variant) -> Decision:
    """Compare the variant's gradients with differences of its own loss over one training step."""
    try:
        with limited():
            step = m.capture(program, variant.source, steps=1)[0]
            ratios: dict[str, float | None] = {}
            errors: dict[str, float] = {}
            for name, value in step.params.items():
                ratios[name], errors[name] = _compare(program, variant.source, name, value, step.grads.get(name))
    except m.Crash as error:
        return Decision("crash", reason=str(error))
    if not all(np.isfinite(e) for e in errors.values()):
        return Decision("undecided", reason="the loss is not finite")
    wrong = tuple(n for n, e in errors.items() if e > WRONG)
    if not wrong:
        return Decision("none" if max(errors.values()) < RIGHT else "undecided")
    common = [r for r in ratios.values() if r != 0]
    known = [r for r in common if r is not None]
    if len(known) == len(common) and 0 < max(known) < (1 + 1e-4) * min(known):
        return Decision("warning", wrong)
    return Decision("error", wrong)


def _compare(
    program: Program, source: str, name: str, value: np.ndarray, grad: np.ndarray | None
) -> tuple[float | None, float]:
    """(ratio to the truth or None, error); the ratio is 0 where there is no gradient at all."""
    rng = np.random.default_rng(7)
    pairs = []
    for _ in range(2):
        u = rng.standard_normal(value.shape)

        def slope(h: float, u: np.ndarray = u) -> float:
            return (_loss(program, source, name, h * u) - _loss(program, source, name, -h * u)) / (2 * h)

        truth = (4 * slope(0.5e-4) - slope(1e-4)) / 3
        pairs.append((float(np.sum(grad * u)) if grad is not None else np.inf, truth))
    size = max(abs(t) for _, t in pairs)
    if size < 1e-8:
        return 0.0, 0.0 if max(abs(g) for g, _ in pairs) < 1e-8 else 1.0
    ratio = sum(g * t for g, t in pairs) / sum(t * t for _, t in pairs)
    parallel = max(abs(g - ratio * t) for g, t in pairs) < 1e-5 * size * max(1, abs(ratio))
    return ratio if parallel else None, max(abs(g - t) for g, t in pairs) / size


def _loss(program: Program, source: str, name: str, nudge: np.ndarray) -> float:
    """The loss the script itself computes in its first step, with one parameter nudged before it."""
    start = {"nudged": f"({program.params[name]}).__iadd__({nudge.tolist()})"}
    probe = replace(program, params={}, grads={}, start=start, end={"loss": program.loss["value"]})
    return float(m.capture(probe, source, steps=1)[0].data["loss"])
