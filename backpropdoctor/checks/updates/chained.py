"""`E[rows][:] -= step`: an index array makes a copy, the copy is changed, and nobody has it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from ...finding import Explanation, Finding, make_finding
from ...tape.tape import Node
from .tracks import Recorded

FEWEST = 2  # recorded iterations in which the change is lost


def chained(recorded: Recorded) -> Iterator[Finding]:
    """Statements that change nothing but a copy which the same statement makes and drops."""
    lost: dict[int, list[Node]] = {}
    for node in recorded.nodes:
        if node.kind == "write" and node.site is not None and _into_a_copy(recorded, node):
            lost.setdefault(node.site.statement.lineno, []).append(node)
    for nodes in lost.values():
        first, site = nodes[0], nodes[0].site
        if len(nodes) < FEWEST or site is None or not isinstance(site.statement, (ast.AugAssign, ast.Assign)):
            continue
        target = _target(first)
        assert target is not None
        inner, name = ast.unparse(target.value), ast.unparse(target.value.value)  # type: ignore[attr-defined]
        step = "-=" if isinstance(site.statement, ast.AugAssign) else "="
        yield make_finding(
            "BD305",
            f"`{site.statement_span.text}` changes a copy that `{inner}` makes, and not `{name}`",
            span=site.statement_span,
            tensors=(name,),
            measured=f"the copy was changed and read by nobody in {len(nodes)} recorded iterations",
            explanations=(Explanation("an index array, or a mask, makes a copy", "verified"),),
            help=f"write `{inner} {step} …` without the second index",
            evidence={"update_lines": [site.statement.lineno]},
        )


def _target(node: Node) -> ast.Subscript | None:
    """The target of the statement that writes, where it is an index behind an index."""
    statement = node.site.statement if node.site is not None else None
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    target = targets[0]
    if len(targets) == 1 and isinstance(target, ast.Subscript) and isinstance(target.value, ast.Subscript):
        return target
    return None


def _into_a_copy(recorded: Recorded, node: Node) -> bool:
    """Whether a write goes into what an index array has copied out of an array, and nothing reads it."""
    target, old = _target(node), recorded.nodes[node.args[0].index]
    if target is None or old.kind not in ("leaf", "op") or not isinstance(target.value, ast.Subscript):
        return False
    if any(b.node in (old.index, node.index) and b.how != "read" for b in recorded.tape.bindings):
        return False
    if recorded.replay.index.consumers.get(node.index) or recorded.replay.index.consumers.get(old.index) != [node.index]:
        return False
    held, rows = (_named(recorded, e, node.index) for e in (target.value.value, target.value.slice))
    return held is not None and rows is not None and rows.dtype.kind in "biu" and rows.ndim > 0 and held is not old.value


def _named(recorded: Recorded, expression: ast.expr, before: int) -> np.ndarray | None:
    """The array that a name stood for last."""
    text = ast.unparse(expression)
    for b in reversed(recorded.tape.bindings):
        if b.at <= before and b.name == text:
            value = recorded.nodes[b.node].value if b.node is not None else None
            return value if isinstance(value, np.ndarray) else None
    return None
