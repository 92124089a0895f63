"""Closures that keep every variable of the functions around them, those that they do not mention too.

An edit of a closure may read what its function never did: `out` of the function that made it. Code that never runs
(`if 0: out`) mentions it for Python.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def keep_variables(tree: ast.AST) -> None:
    """Let all closures in a syntax tree keep what is in scope."""
    for node in ast.iter_child_nodes(tree):
        _visit(node, ())


def _visit(node: ast.AST, around: tuple[str, ...]) -> None:
    if isinstance(node, (ast.FunctionDef, ast.Lambda)):
        if around:
            _mention(node, around)
        around = tuple(dict.fromkeys([*around, *_own_names(node)]))
    for child in ast.iter_child_nodes(node):
        _visit(child, around)


def _mention(node: ast.FunctionDef | ast.Lambda, names: Iterable[str]) -> None:
    at = node.body if isinstance(node, ast.Lambda) else node.body[0]
    others = set(names) - set(_declared(node))
    never: ast.expr = ast.Tuple([ast.Name(n, ast.Load()) for n in names if n in others], ast.Load())
    if isinstance(node, ast.Lambda):
        node.body = ast.IfExp(ast.Constant(True), node.body, never)
        ast.copy_location(node.body, at)
    else:
        first = isinstance(at, ast.Expr) and isinstance(at.value, ast.Constant)  # a docstring
        node.body.insert(int(first), ast.copy_location(ast.If(ast.Constant(0), [ast.Expr(never)], []), node))
    ast.fix_missing_locations(node)


def _own_names(node: ast.FunctionDef | ast.Lambda) -> Iterator[str]:
    """The arguments of a function and what it assigns."""
    args = node.args
    yield from (a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg) if a is not None)
    stack: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    while stack:
        one = stack.pop()
        if isinstance(one, (ast.FunctionDef, ast.ClassDef)):
            yield one.name
        elif isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            yield one.id
        if not isinstance(one, _INNER):
            stack += ast.iter_child_nodes(one)


def _declared(node: ast.FunctionDef | ast.Lambda) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, (ast.Global, ast.Nonlocal)):
            yield from one.names
