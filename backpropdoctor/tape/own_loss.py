"""A script's own loss, asked for where it is not computed while training: `print(net.cost(X, y))` before or after the loop.

In the copy of the program that is recorded the loop begins with the same call, so that the loss stands on the tape.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .instrument_loops import Program, called_name

_OTHER_FRAMES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_INNER = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_MOST = 2  # calls that are asked for in one loop


def ask_for_loss(tree: Any, program: Program, is_loss_name: Callable[[str], bool]) -> None:
    """Put calls of the script's loss function at the start of its training loops, in place of `tree`.

    Only loops that compute no loss themselves, and calls that stand in the same frame as the loop: there their names
    mean the same. An error in such a call is the check's own and is passed over.
    """
    for body in _frames(tree):
        nodes = list(_within(body))
        loops = [n for n in nodes if isinstance(n, (ast.For, ast.While)) and program.evidence(n.body)]
        outermost = [n for n in loops if not any(n is not m and n in set(_within([m])) for m in loops)]
        for loop in outermost:
            inside = set(_within(loop.body))
            if any(_computes(n, is_loss_name) for n in _always(loop.body)):
                continue
            calls: dict[str, ast.Call] = {}
            for n in nodes:
                if isinstance(n, ast.Call) and is_loss_name(called_name(n) or "") and n.args:
                    calls.setdefault(ast.unparse(n), n)
            asked = [_asked(c) for c in list(calls.values())[:_MOST]]
            if asked and not any(isinstance(n, (ast.Await, ast.Yield, ast.YieldFrom)) for n in inside):
                loop.body[:0] = asked


def _frames(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    """The bodies of the module and of its functions."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.FunctionDef)):
            yield node.body


def _within(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of a frame: not those of functions and classes in it, nor of comprehensions."""
    stack = list(body)
    while stack:
        node = stack.pop(0)
        if isinstance(node, (*_OTHER_FRAMES, *_INNER)):
            continue
        yield node
        stack.extend(ast.iter_child_nodes(node))


def _always(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of a loop's body that every iteration runs."""
    stack = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.If, ast.Try, *_OTHER_FRAMES)):
            continue
        yield node
        stack.extend(ast.iter_child_nodes(node))


def _computes(node: ast.AST, is_loss_name: Callable[[str], bool]) -> bool:
    """Whether a node makes a loss: a call of a loss function, a value that gets such a name."""
    if isinstance(node, ast.Call):
        return is_loss_name(called_name(node) or "")
    if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
        return is_loss_name(node.id if isinstance(node, ast.Name) else node.attr)
    return False


def _asked(call: ast.Call) -> ast.stmt:
    body: list[ast.stmt] = [ast.Expr(copy.deepcopy(call))]
    handler = ast.ExceptHandler(ast.Name("Exception", ast.Load()), None, [ast.Pass()])
    asked = ast.Try(body, [handler], [], [])
    for node in ast.walk(asked):
        if not hasattr(node, "lineno"):
            ast.copy_location(node, call)
    return asked
