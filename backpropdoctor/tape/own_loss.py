"""A script's own loss, asked for where it is not computed while training: `print(net.cost(X, y))` before or after the loop.

In the copy of the program that is recorded the loop begins with the same call, so that the loss stands on the tape. Where a
loop trains on one part of the data after the other, the call is asked for each part: `net.cost(X[i:j], y[i:j])`. Where a
loop calls the gradient of a function by name (`grad_f(x)` of `f`), the function is called there with the same arguments.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from .instrument_loops import Program, called_name

_OTHER_FRAMES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_INNER = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_DOES = (ast.Call, ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
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
            if any(isinstance(n, (ast.Await, ast.Yield, ast.YieldFrom)) for n in inside):
                continue
            calls: dict[str, ast.Call] = {}
            for n in nodes:
                if isinstance(n, ast.Call) and is_loss_name(called_name(n) or "") and n.args:
                    calls.setdefault(ast.unparse(n), n)
            first = list(calls.values())[:_MOST]
            _ask_for_parts(loop, first)
            if any(_computes(n, is_loss_name) for n in _always(loop.body)):
                continue
            if first:
                loop.body[:0] = [_asked(c) for c in first]
            else:
                _ask_beside_gradients(loop, program.functions)


def _ask_for_parts(loop: ast.For | ast.While, calls: Sequence[ast.Call]) -> None:
    """Put calls on parts of the data behind the statements that take the parts, or before those that hand them on."""
    bodies = [loop.body, *(n.body for n in _within(loop.body) if isinstance(n, (ast.For, ast.While)))]
    taken = {name for body in bodies for statement in body for name in _parts(statement)[0]}
    for call in calls:
        wanted = {a.id for a in call.args if isinstance(a, ast.Name)} & taken
        for body in bodies if wanted else ():
            found: dict[str, ast.expr] = {}
            for k, statement in enumerate(body):
                parts, named = _parts(statement)
                found |= parts
                if wanted <= set(found):
                    body.insert(k + 1 if named else k, _asked(_on_parts(call, found)))
                    break


def _parts(statement: ast.stmt) -> tuple[dict[str, ast.expr], bool]:
    """What stands for a part of each variable in a statement: a name given to `X[i:j]`, or that itself, handed to a call."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target, value = statement.targets[0], statement.value
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            pairs = list(zip(target.elts, value.elts, strict=True))
        named = {v.value.id: ast.Name(t.id, ast.Load()) for t, v in pairs if isinstance(t, ast.Name) and _is_part(v)}
        if named:
            return dict(named), True
    call = getattr(statement, "value", None)
    given = [*call.args, *(k.value for k in call.keywords)] if isinstance(call, ast.Call) and _is_plain(call) else []
    return {a.value.id: a for a in given if _is_part(a)}, False


def _is_part(value: ast.AST) -> TypeGuard[Any]:
    """Whether an expression takes elements of a variable."""
    return isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name)


def _is_plain(call: ast.Call) -> bool:
    """Whether the arguments of a call do nothing."""
    return not any(isinstance(n, _DOES) for a in (*call.args, *call.keywords) for n in ast.walk(a))


def _on_parts(call: ast.Call, parts: Mapping[str, ast.expr]) -> ast.Call:
    """A call with parts of variables in the place of these."""
    args = [parts[a.id] if isinstance(a, ast.Name) and a.id in parts else a for a in call.args]
    made = ast.copy_location(ast.Call(call.func, args, call.keywords), call)
    made.of_part = True  # type: ignore[attr-defined]
    return made


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
    return isinstance(call.func, ast.Name) and _is_plain(call)


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
