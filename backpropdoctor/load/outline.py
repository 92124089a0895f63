"""What the source of a module holds, read without running it: cases, pairs of passes, and whether it is a program."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..source import Span, span_of
from . import conventions

_PAIRS = (  # (forward, backward) by what stands around a common stem
    ("{}_forward", "{}_backward"),
    ("{}_forward", "{}_backprop"),
    ("{}_fwd", "{}_bwd"),
    ("forward_{}", "backward_{}"),
    ("{}", "{}_backward"),
    ("{}", "{}_bwd"),
    ("{}", "{}_vjp"),
    ("{}", "d_{}"),
    ("{}", "{}_prime"),
    ("{}", "{}_derivative"),
    ("{}", "{}_deriv"),
    ("{}", "{}_grad"),
    ("{}", "grad_{}"),
    ("{}", "{}_gradient"),
    ("{}", "backward_{}"),
    ("{}_pass_forward", "{}_pass_backward"),
    ("{}Forward", "{}Backward"),
    ("{}_avant", "{}_arriere"),
    ("{}", "{}_arriere"),
)
_GRADIENTS = (
    "gradient",
    "gradients",
    "grad",
    "grads",
    "compute_gradients",
    "compute_gradient",
    "gradient_of_loss",
    "loss_gradient",
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A recognised thing to check: names of the forward and the backward function, or of a class, and its kind."""

    kind: str  # "layer", "gradient" or "class"
    name: str
    forward: str
    backward: str
    span: Span


@dataclass(slots=True)
class Outline:
    """What the source of a module holds, without running it."""

    path: str
    cases: list[str] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    names: set[str] = field(default_factory=set)  # assigned at top level
    runs: bool = False  # a program: loops, trains or does something under a main guard
    calls: bool = False  # calls its own functions when it is imported


def outline_of(path: str) -> Outline:
    """Read a module's source; raises SyntaxError and OSError as Python does."""
    source = Path(path).read_bytes()
    tree = ast.parse(source, path)
    found = Outline(path)
    functions: dict[str, ast.FunctionDef] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            functions[node.name] = node
            if any(_is_case(d) for d in node.decorator_list):
                found.cases.append(node.name)
        elif isinstance(node, ast.ClassDef):
            pair = _class_pair(node, path)
            found.pairs += [pair] if pair else []
        else:
            _top_level(node, found)
    found.pairs = _function_pairs(functions, path) + found.pairs
    found.runs = found.runs or _trains(tree, functions, {p.backward for p in found.pairs})
    found.calls = bool(_called(_outside(tree)) & set(functions))
    return found


def _outside(tree: ast.Module) -> list[ast.stmt]:
    """The statements that importing the module runs."""
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node for node in tree.body if not isinstance(node, definitions)]


def _called(nodes: Iterable[ast.AST]) -> set[str]:
    """The names of all functions and methods called in these nodes."""
    calls = (n.func for node in nodes for n in ast.walk(node) if isinstance(n, ast.Call))
    return {f.id if isinstance(f, ast.Name) else f.attr if isinstance(f, ast.Attribute) else "" for f in calls}


def _trains(tree: ast.Module, functions: dict[str, ast.FunctionDef], backward: set[str]) -> bool:
    """Whether importing the module reaches a backward pass, through the functions it calls: then it is a program."""
    seen: set[str] = set()
    waiting = _called(_outside(tree))
    while waiting:
        if waiting & backward:
            return True
        seen |= waiting
        waiting = _called(functions[n] for n in waiting if n in functions) - seen
    return False


def _is_case(node: ast.expr) -> bool:
    node = node.func if isinstance(node, ast.Call) else node
    return (isinstance(node, ast.Name) and node.id == "case") or (isinstance(node, ast.Attribute) and node.attr == "case")


def _top_level(node: ast.stmt, found: Outline) -> None:
    if isinstance(node, (ast.For, ast.While, ast.AsyncFor, ast.With)):
        found.runs = True
    elif isinstance(node, ast.If):
        found.runs = found.runs or any(isinstance(n, (ast.For, ast.While, ast.Call)) for s in node.body for n in ast.walk(s))
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        name = ast.unparse(node.value.func)
        found.runs = found.runs or not any(word in name for word in ("seed", "set_printoptions", "seterr", "filterwarnings"))
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            found.names.add(child.id)
        elif isinstance(child, ast.AugAssign):
            found.runs = True


def _class_pair(node: ast.ClassDef, path: str) -> Pair | None:
    methods = {n.name: n for n in node.body if isinstance(n, ast.FunctionDef)}
    for forward, backward in conventions.FORWARD_BACKWARD:
        if forward in methods and backward in methods:
            if _is_abstract(methods[forward]) or _is_abstract(methods[backward]):
                return None
            return Pair("class", node.name, forward, backward, _head(methods[backward], path))
    return None


def _is_abstract(node: ast.FunctionDef) -> bool:
    body = [n for n in node.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    return not body or all(isinstance(n, (ast.Raise, ast.Pass)) for n in body)


def _head(node: ast.FunctionDef, path: str) -> Span:
    span = span_of(node, path)
    return Span(path, span.line, span.column, span.line, span.column + len(f"def {node.name}"))


def _function_pairs(functions: dict[str, ast.FunctionDef], path: str) -> list[Pair]:
    found: dict[str, Pair] = {}
    for forward, backward in conventions.FORWARD_BACKWARD[:-4]:
        if forward in functions and backward in functions:
            found.setdefault(backward, Pair("layer", forward, forward, backward, _head(functions[backward], path)))
    for forward_form, backward_form in _PAIRS:
        for name in functions:
            stem = _stem(name, forward_form)
            backward = backward_form.format(stem) if stem else ""
            if stem and backward in functions and backward != name and not _is_backward(name, functions):
                kind = "gradient" if conventions.is_loss_name(name) and _one_argument(functions[name]) else "layer"
                found.setdefault(backward, Pair(kind, stem, name, backward, _head(functions[backward], path)))
    losses = [n for n in functions if conventions.is_loss_name(n) and _one_argument(functions[n])]
    gradients = [n for n in functions if n in _GRADIENTS and _one_argument(functions[n])]
    if len(losses) == len(gradients) == 1 and gradients[0] not in found:
        found[gradients[0]] = Pair("gradient", losses[0], losses[0], gradients[0], _head(functions[gradients[0]], path))
    return sorted(found.values(), key=lambda pair: pair.span.line)


def _stem(name: str, form: str) -> str:
    head, tail = form.split("{}")
    fits = name.startswith(head) and name.endswith(tail) and len(name) > len(head) + len(tail)
    return name[len(head) : len(name) - len(tail) or None] if fits else ""


def _is_backward(name: str, functions: dict[str, ast.FunctionDef]) -> bool:
    return any(word in name for word in ("backward", "_prime", "_deriv", "grad", "_bwd", "_vjp"))


def _one_argument(node: ast.FunctionDef) -> bool:
    return len(node.args.args) - len(node.args.defaults) <= 1


def can_be_module(outline: Outline) -> bool:
    """Whether to import it and look for what to check: cases are declared, or it has pairs and runs nothing."""
    return bool(outline.cases) or (bool(outline.pairs) and not outline.runs)


def holds_nothing(outline: Outline) -> bool:
    """Whether there is neither anything to recognise nor a program that could be run."""
    return not (outline.cases or outline.pairs or outline.runs or outline.calls)
