"""What a statement writes and reads by name, and what stands beside it on its line."""

from __future__ import annotations

import ast
import linecache
from collections import Counter
from collections.abc import Iterator
from types import CodeType
from typing import Any


def is_body(statement: ast.stmt) -> bool:
    """Whether a `return` stands for the body of a lambda: it begins where its value does."""
    value = statement.value if isinstance(statement, ast.Return) else None
    return value is not None and (value.lineno, value.col_offset) == (statement.lineno, statement.col_offset)


def crowded(path: str) -> set[int]:
    """The lines of a file on which more than one statement begins."""
    try:
        tree = ast.parse("".join(linecache.getlines(path)))
    except SyntaxError:
        return set()
    counts = Counter(n.lineno for n in ast.walk(tree) if isinstance(n, ast.stmt))
    return {line for line, count in counts.items() if count > 1}


def targets(statement: ast.stmt) -> set[str]:
    found = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return {ast.unparse(t) for target in found if target is not None for t in _elements(target)}


def _elements(target: Any) -> Iterator[ast.expr]:
    if isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            yield from _elements(element)
    else:
        yield target


def paths_of(statement: ast.stmt) -> dict[str, CodeType]:
    """The variables, attributes and items that a statement names, ready to be read."""
    found: dict[str, CodeType] = {}
    call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
    for node in ast.walk(statement):
        if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
            continue
        if any(isinstance(n, (ast.Call, ast.NamedExpr, ast.Await, ast.Lambda)) for n in ast.walk(node)) and not isinstance(
            getattr(node, "ctx", None), ast.Store
        ):
            continue
        texts = [ast.unparse(node)]
        if call and isinstance(node, ast.Attribute) and node.attr in ("append", "insert"):
            texts = [f"{ast.unparse(node.value)}[{-1 if node.attr == 'append' else 0}]"]
        for text in texts:
            found[text] = compile(text, "<path>", "eval")
    return found
