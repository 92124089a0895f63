"""How a backward pass is called: which argument is the cotangent, the cache, an input, the learning rate.

Decided by the names of its arguments and by what the forward pass returned; where these leave a choice, there is no
plan.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from . import conventions
from .calling import Signature, plain, signature_of

Role = Literal["cotangent", "cache", "returned", "input", "rate"]

_DERIVATIVE = ("prime", "deriv", "grad", "d_")


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of the backward pass: its role, and which one of them (`index` of output, return or input)."""

    role: Role
    index: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """How to call a backward pass. `outputs` of the forward's returns get a cotangent, the first ones.

    `rest` are the returns that make up the cache. `pointwise` says that the function gives the derivative of each
    element, to be multiplied by the cotangent. `rate` names a learning rate to pass by keyword.
    """

    arguments: tuple[Argument, ...]
    outputs: int
    rest: tuple[int, ...] = ()
    pointwise: bool = False
    rate: str = ""


def returned_names(function: Callable[..., Any]) -> tuple[str, ...] | None:
    """The names in a function's one kind of `return a, b, c`; None where it returns something else or differently."""
    tree = _definition(function)
    if tree is None:
        return None
    found = {_names_of(node.value) for node in _own_returns(tree) if node.value is not None}
    return found.pop() if len(found) == 1 else None


def _definition(function: Callable[..., Any]) -> ast.FunctionDef | None:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(plain(function))))
    except (OSError, TypeError, SyntaxError, IndentationError):
        return None
    first = tree.body[0] if tree.body else None
    return first if isinstance(first, ast.FunctionDef) else None


def _own_returns(tree: ast.FunctionDef) -> list[ast.Return]:
    found: list[ast.Return] = []
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return):
            found.append(node)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            waiting += list(ast.iter_child_nodes(node))
    return found


def _names_of(node: ast.expr) -> tuple[str, ...] | None:
    elements = node.elts if isinstance(node, (ast.Tuple, ast.List)) else [node]
    names = [e.id if isinstance(e, ast.Name) else e.attr if isinstance(e, ast.Attribute) else "" for e in elements]
    return tuple(names) if any(names) else None


def plan_of(
    forward: Callable[..., Any], backward: Callable[..., Any], parts: Sequence[Any], inputs: Sequence[str]
) -> Plan | str:
    """The plan for calling `backward` after `forward` returned `parts`; a sentence that says why there is none.

    `inputs` are the names of the forward's arguments.
    """
    signature = signature_of(backward)
    if not signature.known or (signature.more and not signature.names):
        return _blind(parts)
    names = signature.names[: signature.required]
    rate = next((n for n in signature.names[signature.required :] if n.lower() in conventions.LEARNING_RATES), "")
    if not names and signature.names and signature.names[0] != rate:
        names = signature.names[:1]  # backward(dout=1): the cotangent has a default
    roles = _roles(names, returned_names(forward) or (), parts, inputs)
    if pointwise := _pointwise(backward, names, roles, parts, inputs):
        return pointwise
    return _filled(roles, names, parts, rate, signature)


def _blind(parts: Sequence[Any]) -> Plan:
    """Any arguments are taken: one cotangent, and the cache where there is one."""
    if len(parts) == 2 and not isinstance(parts[1], np.ndarray):
        return Plan((Argument("cotangent"), Argument("cache")), 1, (1,))
    return Plan(tuple(Argument("cotangent", i) for i in range(len(parts))), len(parts))


def _roles(names: Sequence[str], returned: Sequence[str], parts: Sequence[Any], inputs: Sequence[str]) -> list[Argument | None]:
    """The role of each argument that its name tells; None for the others."""
    roles: list[Argument | None] = []
    count = 0
    for name in names:
        if name.lower() in conventions.LEARNING_RATES:
            roles.append(Argument("rate"))
        elif conventions.is_cache_name(name):
            roles.append(Argument("cache"))
        elif name in returned and len(returned) == len(parts) and (name not in inputs or returned.index(name) > 0):
            roles.append(Argument("returned", returned.index(name)))
        elif name in inputs:
            roles.append(Argument("input", inputs.index(name)))
        elif conventions.is_cotangent_name(name):
            roles.append(Argument("cotangent", count))
            count += 1
        else:
            roles.append(None)
    return roles


def _pointwise(
    backward: Callable[..., Any],
    names: Sequence[str],
    roles: Sequence[Argument | None],
    parts: Sequence[Any],
    inputs: Sequence[str],
) -> Plan | None:
    """The plan of a function such as `tanh_prime(x)`, which gives the derivative itself."""
    name = getattr(plain(backward), "__name__", "").lower()
    if len(names) != 1 or len(parts) != 1 or not any(word in name for word in _DERIVATIVE) or np.ndim(parts[0]) == 0:
        return None
    if roles[0] is not None and roles[0].role == "input":
        return Plan((roles[0],), 1, pointwise=True)
    if roles[0] is not None and roles[0].role == "returned":
        return Plan((roles[0],), 1, pointwise=True)
    return None


def _filled(
    roles: list[Argument | None], names: Sequence[str], parts: Sequence[Any], rate: str, signature: Signature
) -> Plan | str:
    told = [r for r in roles if r is not None]
    cotangents = sum(r.role == "cotangent" for r in told)
    unknown = [i for i, r in enumerate(roles) if r is None]
    if not cotangents and unknown:
        roles[unknown[0]] = Argument("cotangent", 0)  # the one argument that is nothing else, the first of several
        unknown, cotangents = unknown[1:], 1
    elif not cotangents and len(told) == 1 == len(roles) and told[0].role in ("input", "returned") and _many(parts[0]):
        roles[0], cotangents = Argument("cotangent", 0), 1
    outputs = max(cotangents, 1)
    if outputs > len(parts):
        return f"takes {cotangents} gradients of outputs ({', '.join(names)}), and the forward pass returns {_count(parts)}"
    taken = {r.index for r in roles if r is not None and r.role == "returned"}
    rest = tuple(i for i in range(outputs, len(parts)) if i not in taken)
    if unknown:
        if len(unknown) != len(rest):
            listed = ", ".join(f"`{names[i]}`" for i in unknown)
            return f"takes {listed}, and nothing says which of the forward pass's {_count(parts)} that is"
        for i, index in zip(unknown, rest, strict=True):
            roles[i] = Argument("returned", index)
    elif any(r is not None and r.role == "cache" for r in roles) and not rest:
        return "takes a cache, and the forward pass returns none"
    return Plan(tuple(r for r in roles if r is not None), outputs, rest, rate=rate)


def _many(part: Any) -> bool:
    return np.size(part) != 1


def _count(parts: Sequence[Any]) -> str:
    return "one value" if len(parts) == 1 else f"{len(parts)} values"
