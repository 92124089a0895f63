"""A script's own loss, asked for where it is not computed while training: `print(net.cost(X, y))` before or after the loop.

In the copy of the program that is recorded the loop begins with the same call, so that the loss stands on the tape. Where a
loop calls the gradient of a function by name (`grad_f(x)` of `f`), the function is called there with the same arguments.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from .instrument_loops import Program, called_name

_OTHER_FRAMES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_INNER = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_GRADIENT_WORDS = {"d", "grad", "gradient", "nabla", "jac", "der", "derivative"}
_PLAIN = {"f", "fn", "fun", "func", "function"}
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
            if not asked:
                _ask_beside_gradients(loop, program.functions)
            elif not any(isinstance(n, (ast.Await, ast.Yield, ast.YieldFrom)) for n in inside):
                loop.body[:0] = asked


def _ask_beside_gradients(loop: ast.For | ast.While, functions: Collection[str]) -> None:
    """Put a call of each function before the statement of the loop that calls its gradient with the same arguments."""
    called = {called_name(n) for n in _within(loop.body) if isinstance(n, ast.Call)}
    for k, statement in reversed(list(enumerate(loop.body))):
        if isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr)):
            for n in [n for n in _within([statement]) if isinstance(n, ast.Call) and _may_be_repeated(n)]:
                function = function_of(called_name(n) or "", functions)
                if function is not None and function not in called:
                    name = ast.copy_location(ast.Name(function, ast.Load()), n)
                    loop.body.insert(k, _asked(ast.copy_location(ast.Call(name, n.args, n.keywords), n)))


def _may_be_repeated(call: ast.Call) -> bool:
    """Whether a function is called by its name, with arguments that do nothing."""
    arguments = [*call.args, *(k.value for k in call.keywords)]
    does = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
    return isinstance(call.func, ast.Name) and not any(isinstance(n, does) for a in arguments for n in ast.walk(a))


def function_of(gradient: str, functions: Collection[str]) -> str | None:
    """The function that another one is the gradient of by its name: `f` of `grad_f`, `fun` of `gradient`.

    >>> function_of("grad_rosenbrock", ["rosenbrock"]), function_of("graduate", ["uate"])
    ('rosenbrock', None)
    """
    for name in sorted(functions):
        before, _, after = gradient.partition(name)
        words = [w.strip("_").lower() for w in (before, after)]
        if name != gradient and "" in words and f"{before}{name}{after}" == gradient and _joined(before, after):
            if "".join(words) in _GRADIENT_WORDS:
                return name
        if name in _PLAIN and gradient.lower() in _GRADIENT_WORDS:
            return name
    return None


def _joined(before: str, after: str) -> bool:
    """Whether a name is joined to the word for a gradient as people do it: `grad_f`, `df`, `f_grad`."""
    return before in ("d", "D") or before.endswith("_") or after.startswith("_")


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
