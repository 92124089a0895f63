"""A scalar factor that is missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from .candidate import Candidate
from .scene import Scene


def factors(scene: Scene) -> Iterator[Candidate]:
    """The whole, or one of its terms, times or divided by a number that the program knows."""
    for node, extra in places(scene):
        whole = _whole(scene, node)
        for digits in ("2", "0.5"):
            yield Candidate(1.5 + extra, node, f"{digits} * {whole}", "scaled", {"factor": digits, "missing": True})
        for digits in ("-0.5", "-2"):
            yield Candidate(1.8 + extra, node, f"{digits} * {whole}", "scaled", {"factor": digits, "missing": True})
        seen: set[float] = set()
        for name, value in _counts(scene):
            cost = 1.5 + extra + (0.05 if not name.isidentifier() else 0.0) + (0.1 if value in seen else 0.0)
            seen.add(value)
            yield Candidate(cost, node, f"{whole} / {name}", "scaled", {"factor": f"1/{name}", "missing": True})
            yield Candidate(cost + 0.05, node, f"{whole} * {name}", "scaled", {"factor": name, "missing": True})


def by_rate(scene: Scene, rate: str) -> Iterator[Candidate]:
    """The whole, or one of its terms, times the rate of the other updates, a number without a name; or times its negative."""
    for factor in [f"-{rate}", *([] if rate.isidentifier() else [rate])] if rate else []:
        for node, extra in places(scene):
            words = {"factor": factor, "missing": True}
            yield Candidate(1.5 + extra, node, f"{factor} * {_whole(scene, node)}", "scaled", words)


def _whole(scene: Scene, node: ast.expr) -> str:
    """An expression as a factor."""
    if _product(node):
        return scene.text.of(node)
    return f"({scene.text.of(node)})" if isinstance(node, ast.BinOp) else scene.text.wrapped(node)


def places(scene: Scene) -> Iterator[tuple[ast.expr, float]]:
    """The expressions that a factor may belong to: the whole, its elements, its terms."""
    whole = scene.value_node
    if whole is None:
        return
    tops = whole.elts if isinstance(whole, (ast.Tuple, ast.List)) else [whole]
    if isinstance(whole, ast.Call) and isinstance(scene.statement, ast.Expr):
        tops = [*whole.args, *(k.value for k in whole.keywords)]
    for top in tops:
        if scene.shape(top) is None:
            continue
        yield top, 0.0
        stack = [top]
        while stack:
            node = stack.pop()
            if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
                for term in (node.left, node.right):
                    if not isinstance(term, ast.Constant):
                        yield term, 0.2
                        stack.append(term)
            elif isinstance(node, ast.BinOp):
                stack += [node.left, node.right]
            elif isinstance(node, ast.Call):
                stack += node.args


def _product(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div, ast.MatMult))


def _counts(scene: Scene) -> list[tuple[str, float]]:
    """Numbers in scope by name, then the sizes of the arrays that the statement reads."""
    found = [(v.text, float(v.value)) for v in scene.scalars if np.isfinite(v.value) and v.value not in (0, 1)][:25]
    known = {value for _, value in found}
    read = {part.node.id for part in scene.parts if isinstance(part.node, ast.Name) and not part.stored}
    # a window of that side
    found += [(f"{v.text} ** 2", float(v.value) ** 2) for v in scene.scalars if v.text in read and float(v.value).is_integer()]
    for part in scene.parts:
        if isinstance(part.node, ast.Name) and not part.stored:
            value = scene.value(part.node)
            if isinstance(value, np.ndarray):
                for k, n in enumerate(value.shape):
                    if n > 1 and float(n) not in known:
                        known.add(float(n))
                        text = f"len({part.node.id})" if k == 0 else f"{part.node.id}.shape[{k}]"
                        found.append((text, float(n)))
    for v in scene.arrays:
        for k, n in enumerate(v.shape):
            if n > 1 and float(n) not in known and len(found) < 40:
                known.add(float(n))
                found.append((f"{v.text}.shape[{k}]", float(n)))
    return found + _sizes(scene, known)


def _sizes(scene: Scene, known: set[float]) -> list[tuple[str, float]]:
    """The numbers of elements of the arrays that the statement reads, a mean over all of which was meant."""
    found: dict[float, str] = {}
    for part in scene.parts:
        if isinstance(part.node, (ast.Name, ast.Attribute)) and not part.stored:
            value = scene.value(part.node)
            if isinstance(value, np.ndarray) and value.ndim > 1 and float(value.size) not in known:
                found.setdefault(float(value.size), f"{scene.text.of(part.node)}.size")
    return [(text, size) for size, text in found.items()]
