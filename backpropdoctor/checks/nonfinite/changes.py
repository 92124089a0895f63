"""Which names a program changes from their own old values: the candidates for parameters, read from the source alone."""

from __future__ import annotations

import ast

from .place import source_of


def update_names(path: str) -> set[str]:
    """The names and attributes that some statement of the file changes from their own old value."""
    source = source_of(path)
    found: set[str] = set()
    for node in source.statements if source else []:
        targets: list[ast.expr] = []
        if isinstance(node, ast.AugAssign):
            targets = [node.target]
        elif isinstance(node, ast.Assign):
            inside = {ast.unparse(n) for n in ast.walk(node.value) if isinstance(n, (ast.Name, ast.Attribute, ast.Subscript))}
            targets = [t for target in node.targets for t in getattr(target, "elts", [target]) if ast.unparse(t) in inside]
        for target in targets:
            while isinstance(target, ast.Subscript):
                target = target.value
            found |= (
                {target.id} if isinstance(target, ast.Name) else {target.attr} if isinstance(target, ast.Attribute) else set()
            )
    return found
