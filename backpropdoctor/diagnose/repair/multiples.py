"""A term of the loss that has another factor than the backward pass takes it for: one edit where each gradient needs one.

The factor is worked out from the slopes: with that multiple of the term all gradients are those of the loss.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import numpy as np

from ...tape.adjoint import SAME, close
from ...tape.replay import Objective
from ...tape.tape import Site
from ..blame import Blame
from .expression import Text
from .forward import ForwardEdit

_MOST_TERMS = 12
_PLAIN = (2.0, 0.5, 4.0, 0.25, 3.0)


def term_edits(blame: Blame) -> Iterator[ForwardEdit]:
    """The numbers of the loss with another factor under which all gradients would be right, the last made first."""
    for site, nodes in _numbers(blame)[:_MOST_TERMS]:
        factor = _factor(blame, nodes)
        if factor is not None and isinstance(site.node, ast.expr):
            text = Text(site.statement, site.span.path)
            for node, new in _written(blame, text, site.node, factor):
                whole, target = text.span(site.statement), _target(site)
                yield ForwardEdit((text.fix(node, new),), target, text.of(node), new, whole, text.span(node), "forward-term")


def _target(site: Site) -> str:
    statement = site.statement
    return ast.unparse(statement.targets[0]) if isinstance(statement, ast.Assign) else f"{site.function}()"


def _numbers(blame: Blame) -> list[tuple[Site, list[int]]]:
    """The numbers that the loss is made of by the expressions that make them, once each or several times, the last first."""
    found: dict[object, tuple[Site, list[int]]] = {}
    for i in sorted(blame.cotangents.forward, reverse=True):
        site = blame.nodes[i].site
        if site is not None and blame.nodes[i].kind == "op" and np.size(blame.nodes[i].value) == 1:
            found.setdefault(site.span, (site, []))[1].append(i)
    return list(found.values())


def _factor(blame: Blame, nodes: Sequence[int]) -> float | None:
    """The multiple of the numbers with which all gradients are those of the loss; None where there is none."""
    weights = [blame.adjoints.adjoint(i, blame.objective) for i in nodes]
    if any(w is None or np.size(w) != 1 for w in weights):
        return None
    parts = Objective.pairing(("term", tuple(nodes)), list(zip(nodes, weights, strict=True)))
    rows = []
    for m in blame.check.measured:
        for number in (0, 1):
            whole = blame.adjoints.slope(m.held.tensor, blame.objective, number)
            part = blame.adjoints.slope(m.held.tensor, parts, number)
            if whole is None or part is None:
                return None
            rows.append((blame.adjoints.claimed(m.held.claim, number)[0], whole.value, part.value))
    told = max(rows, key=lambda row: abs(row[2]))
    factor = 1 + (told[0] - told[1]) / told[2] if told[2] else 1.0
    size = max(abs(v) for row in rows for v in row)
    fits = all(abs(whole + (factor - 1) * part - mine) <= 10 * SAME * size for mine, whole, part in rows)
    return factor if fits and factor > 0 and not close(factor, 1.0) else None


def _written(blame: Blame, text: Text, node: ast.expr, factor: float) -> Iterator[tuple[ast.expr, str]]:
    """A product with that factor: one that is missing, one that is too many left out, or another number in it."""
    known = _settings(blame)
    whole = text.of(node) if _is_product(node) else text.wrapped(node)
    for words, number in [("", 1.0), *((f"{p:g} * ", p) for p in _PLAIN)]:
        for name, value in known.items():
            if value not in (0.0, 1.0) and close(number * value, factor):
                yield node, f"{words}{name} * {whole}"
    for part, rest in _factors(node):
        own = part.value if isinstance(part, ast.Constant) else known.get(ast.unparse(part))
        if not isinstance(own, (int, float)):
            continue
        if rest is not None and close(own * factor, 1.0):
            yield rest[0], text.of(rest[1])
        elif isinstance(part, ast.Constant) and close(float(f"{own * factor:.4g}"), own * factor):
            yield part, f"{own * factor:.4g}"
    yield from ((node, f"{p:g} * {whole}") for p in _PLAIN if close(p, factor))


def _is_product(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div))


def _factors(node: ast.expr) -> Iterator[tuple[ast.expr, tuple[ast.BinOp, ast.expr] | None]]:
    """The factors of a product, each with the product of two that it stands in and the other one of these."""
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)):
        yield node, None
        return
    for side, other in ((node.left, node.right), (node.right, node.left)):
        if isinstance(side, ast.BinOp) and isinstance(side.op, ast.Mult):
            yield from _factors(side)
        else:
            yield side, (node, other)


def _settings(blame: Blame) -> dict[str, float]:
    """The numbers that the program names and does not work out."""
    found: dict[str, float] = {}
    for b in blame.replay.tape.bindings:
        node = None if b.node is None else blame.nodes[b.node]
        if node is not None and node.kind == "leaf" and b.how in ("assign", "read"):
            if isinstance(node.value, (int, float, np.number)) and not isinstance(node.value, bool):
                found[b.name] = float(node.value)
    return found
