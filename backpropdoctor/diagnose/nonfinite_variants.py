"""Changes that are no formula: a smaller step, a wider type."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from ..checks.nonfinite.locate import Trace
from ..checks.nonfinite.place import source_of
from .nonfinite_scene import Edit, Formula, edit_of, statement_at

STEP = 5  # the rank of a smaller step


def smaller_step(trace: Trace, factor: float = 0.1) -> Formula | None:
    """Every update of the recorded step with its increment times `factor`."""
    edits: dict[tuple[str, int], Edit] = {}
    for update in trace.changes:
        site = update.site
        source = source_of(site.span.path) if site is not None else None
        if site is None or source is None:
            continue
        statement = statement_at(source, site.statement_span.line)
        value = _increment(statement)
        if statement is not None and value is not None:
            edits[source.path, statement.lineno] = edit_of(source, value, f"{factor} * ({ast.unparse(value)})")
    return Formula(f"a step {1 / factor:g} times smaller", tuple(edits.values()), STEP) if edits else None


def _increment(statement: ast.stmt | None) -> ast.expr | None:
    """What an update adds or subtracts."""
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, (ast.Add, ast.Sub)):
        return statement.value
    if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.BinOp) and len(statement.targets) == 1:
        value = statement.value
        if isinstance(value.op, (ast.Add, ast.Sub)) and ast.unparse(value.left) == ast.unparse(statement.targets[0]):
            return value.right
    return None


def wider_type(paths: Iterable[str]) -> Formula | None:
    """float64 in the place of every float16 and float32 of the files."""
    edits = []
    for source in filter(None, map(source_of, paths)):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Attribute) and node.attr in ("float16", "float32", "half", "single"):
                edits.append(edit_of(source, node, f"{ast.unparse(node.value)}.float64"))
            elif isinstance(node, ast.Constant) and node.value in ("float16", "float32", "f2", "f4"):
                edits.append(edit_of(source, node, "'float64'"))
    return Formula("float64", tuple(edits), 4) if edits else None
