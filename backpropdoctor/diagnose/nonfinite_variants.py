"""Changes that are no formula: a smaller step, a wider type."""

from __future__ import annotations

import ast

from ..checks.nonfinite.locate import Trace
from ..checks.nonfinite.place import source_of
from .nonfinite_scene import Edit, Formula, edit_of, statement_at


def smaller_step(trace: Trace, path: str, factor: float = 0.1) -> Formula | None:
    """Every update of the recorded step with its increment times `factor`."""
    source = source_of(path)
    if source is None:
        return None
    edits: dict[int, Edit] = {}
    for update in trace.changes:
        site = update.site
        if site is None or site.span.path != source.path:
            continue
        statement = statement_at(source, site.statement_span.line)
        if isinstance(statement, ast.AugAssign) and isinstance(statement.op, (ast.Add, ast.Sub)):
            after = f"{factor} * ({ast.unparse(statement.value)})"
            edits[statement.lineno] = edit_of(source, statement.value, after)
        elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.BinOp) and len(statement.targets) == 1:
            value = statement.value
            if isinstance(value.op, (ast.Add, ast.Sub)) and ast.unparse(value.left) == ast.unparse(statement.targets[0]):
                edits[statement.lineno] = edit_of(source, value.right, f"{factor} * ({ast.unparse(value.right)})")
    return Formula(f"a step {1 / factor:g} times smaller", tuple(edits.values()), 5) if edits else None


def wider_type(path: str) -> Formula | None:
    """float64 in the place of every float16 and float32 of the file."""
    source = source_of(path)
    if source is None:
        return None
    edits = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in ("float16", "float32", "half", "single"):
            edits.append(edit_of(source, node, f"{ast.unparse(node.value)}.float64"))
        elif isinstance(node, ast.Constant) and node.value in ("float16", "float32", "f2", "f4"):
            edits.append(edit_of(source, node, "'float64'"))
    return Formula("float64", tuple(edits), 4) if edits else None
