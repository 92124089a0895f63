"""Items of the containers in scope as the function around a statement writes them: `self.A[i - 1]`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .scene import Scene


def relative_paths(scene: Scene) -> Iterator[str]:
    """Items of the containers in scope, at the indices and keys that the same function writes: `self.A[i - 1]`."""
    indices: dict[str, None] = {}
    prefixes: dict[tuple[str, str], None] = {}
    for node in ast.walk(scene.function):
        if isinstance(node, ast.Subscript) and any(isinstance(n, ast.Name) for n in ast.walk(node.slice)):
            if isinstance(node.slice, ast.BinOp) and isinstance(node.slice.left, ast.Constant):
                prefixes[(ast.unparse(node.slice.left), ast.unparse(node.slice)[len(ast.unparse(node.slice.left)) :])] = None
            elif isinstance(node.slice, ast.JoinedStr):
                continue
            elif not isinstance(node.slice, (ast.Slice, ast.Tuple, ast.Compare)):
                indices[ast.unparse(node.slice)] = None
    for index in list(indices)[:6]:
        if isinstance(scene.evaluate(index), (int, np.integer)):
            for shifted in (f"{index} + 1", f"{index} - 1"):
                indices.setdefault(_tidy(shifted), None)
    ready = [i for i in list(indices)[:14] if isinstance(scene.evaluate(i), (int, np.integer))]
    for path in _indexed_arrays(scene):
        for index in ready:
            yield f"{path}[{index}]"
    for path, items in scene.containers:
        if items.kind is not dict or any(isinstance(k, int) for k in items.items):
            for index in ready:
                yield f"{path}[{index}]"
        if items.kind is dict:
            names = {re.sub(r"\d+$", "", k) for k in items.items if isinstance(k, str)}
            for _, rest in list(prefixes)[:6]:
                for name in sorted(names):
                    yield f"{path}[{scene.quote}{name}{scene.quote}{rest}]"


def _indexed_arrays(scene: Scene) -> list[str]:
    """The arrays whose rows the function reads."""
    found: dict[str, None] = {}
    for node in ast.walk(scene.function):
        if isinstance(node, ast.Subscript) and isinstance(node.value, (ast.Name, ast.Attribute)):
            if any(isinstance(n, ast.Name) for n in ast.walk(node.slice)):
                found[ast.unparse(node.value)] = None
    return [t for t in found if isinstance(scene.evaluate(t), np.ndarray)][:8]


def _tidy(text: str) -> str:
    """`l - 1 + 1` as `l`, `l + 1 + 1` as `l + 2`."""
    node = ast.parse(text, mode="eval").body
    if isinstance(node, ast.BinOp) and isinstance(node.left, ast.BinOp) and isinstance(node.left.right, ast.Constant):
        inner = node.left
        if isinstance(inner.op, (ast.Add, ast.Sub)) and type(inner.right.value) is int:  # type: ignore[attr-defined]
            total = inner.right.value if isinstance(inner.op, ast.Add) else -inner.right.value  # type: ignore[attr-defined]
            total += 1 if isinstance(node.op, ast.Add) else -1
            left = ast.unparse(inner.left)
            return left if total == 0 else f"{left} + {total}" if total > 0 else f"{left} - {-total}"
    return text
