"""Which loops may be the training loop: a static look at the user's files, by the names that they use."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

_GRADIENT = re.compile(
    r"^(_*d_?[A-Z]\w*|_*d_?(w|b|z|a|u|v|h|x|y|t|theta|weights?|bias(es)?|hidden|out(put)?|in(put)?|loss|cost|err(or)?)"
    r"s?_?(\d+|[a-z]{0,2}\d*|prev|next|curr|out|hidden|output|input)?"
    r"|.*delta.*|.*grad.*|.*nabla.*|.*deriv.*)$"
)
_BACKWARD = re.compile(r"(back_?ward|back_?prop|bprop|gradient_descent|sgd)", re.IGNORECASE)
_TRIVIAL_CALLS = {"len", "int", "str", "repr", "time", "perf_counter", "format", "round", "join", "bool"}


def statements(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes under `body`, but not those of functions and classes defined there."""
    stack = list(body)
    while stack:
        node = stack.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            stack.extend(ast.iter_child_nodes(node))
        elif isinstance(node, ast.Lambda):
            stack.append(node.body)


def gradient_name(name: str) -> bool:
    """Whether a variable, key or attribute of this name looks like a gradient."""
    return bool(_GRADIENT.match(name))


def _target_names(target: ast.expr) -> Iterator[str]:
    if isinstance(target, ast.Name):
        yield target.id
    elif isinstance(target, ast.Attribute):
        yield target.attr
    elif isinstance(target, ast.Subscript):
        for part in ast.walk(target.slice):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value
        yield from _target_names(target.value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for element in target.elts:
            yield from _target_names(element)
    elif isinstance(target, ast.Starred):
        yield from _target_names(target.value)


def _moves(value: ast.expr) -> bool:
    """Whether the right side of `+=` may be an update: not a constant, a plain counter, a text."""
    if isinstance(value, (ast.Constant, ast.JoinedStr, ast.List, ast.Tuple)):
        return False
    if isinstance(value, ast.Name):
        return gradient_name(value.id)
    if isinstance(value, ast.Call):
        name = called_name(value)
        return name not in _TRIVIAL_CALLS
    parts = list(ast.walk(value))
    if any(isinstance(p, ast.Constant) and isinstance(p.value, str) and not isinstance(value, ast.Subscript) for p in parts):
        return any(isinstance(p, ast.Subscript) for p in parts)
    return any(isinstance(p, (ast.Name, ast.Call)) for p in parts)


def called_name(call: ast.Call) -> str | None:
    """The last part of the name of what is called."""
    if isinstance(call.func, ast.Name):
        return call.func.id
    return call.func.attr if isinstance(call.func, ast.Attribute) else None


def _leftmost(value: ast.expr) -> ast.expr:
    while isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Add, ast.Sub)):
        value = value.left
    return value


def own_evidence(body: Iterable[ast.AST]) -> set[str]:
    """What in these statements themselves looks like an update or a gradient."""
    found: set[str] = set()
    for node in statements(body):
        if isinstance(node, ast.AugAssign):
            if isinstance(node.op, (ast.Add, ast.Sub)) and _moves(node.value):
                found.add("augmented")
            if any(map(gradient_name, _target_names(node.target))):
                found.add("name")
        elif isinstance(node, ast.Assign):
            found |= _assign_evidence(node)
        elif any(map(_is_new_value, _results(node))):
            found.add("result")
        elif isinstance(node, ast.Call):
            name = called_name(node) or ""
            if _BACKWARD.search(name):
                found.add("call")
            if name in ("subtract", "add") and any(k.arg == "out" for k in node.keywords):
                found.add("out")
            if any(_is_new_value(_without_additions(a)) for a in node.args):  # setattr(self, name, p - rate * g)
                found.add("argument")
    return found


def _results(node: ast.AST) -> list[ast.expr]:
    """What a function returns, a comprehension collects."""
    if isinstance(node, ast.Return) and node.value is not None:
        return list(node.value.elts) if isinstance(node.value, ast.Tuple) else [node.value]
    if isinstance(node, ast.Lambda):
        return [node.body]
    if isinstance(node, (ast.ListComp, ast.GeneratorExp)):
        return [node.elt]
    return [node.value] if isinstance(node, ast.DictComp) else []


def _without_additions(value: ast.expr) -> ast.expr:
    """A sum less what is added last: of `p - rate * v + rate * g` the part that has the form of an update."""
    while isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        value = value.left
    return value


def _is_new_value(value: ast.expr) -> bool:
    """Whether an expression has the form `p - rate * g`."""
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Sub) or not isinstance(value.right, ast.BinOp):
        return False
    got = isinstance(value.left, ast.Call) and called_name(value.left) == "getattr"
    plain = got or isinstance(value.left, (ast.Name, ast.Subscript, ast.Attribute))
    return plain and isinstance(value.right.op, (ast.Mult, ast.Div))


def _assign_evidence(node: ast.Assign) -> set[str]:
    found = set()
    for target in node.targets:
        if any(map(gradient_name, _target_names(target))):
            found.add("name")
        value = node.value
        pairs = [(target, value)]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            pairs = list(zip(target.elts, value.elts, strict=True))
        for left, right in pairs:
            if not isinstance(right, ast.BinOp) or not isinstance(right.op, (ast.Add, ast.Sub)):
                continue
            if ast.unparse(_leftmost(right)) == ast.unparse(left) and _moves(right.right):
                found.add("self")
    return found


class Program:
    """All user files together: which functions, by name, hold or reach an update."""

    def __init__(self) -> None:
        self._own: dict[str, set[str]] = defaultdict(set)
        self._calls: dict[str, set[str]] = defaultdict(set)
        self._closed: dict[str, set[str]] | None = None
        self._trees: list[ast.Module | ast.Interactive] = []

    def add(self, tree: ast.Module | ast.Interactive) -> None:
        """Take the functions and classes of one file into account."""
        self._trees.append(tree)
        nodes = list(ast.walk(tree))
        for node in nodes:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self._own[node.name] |= own_evidence(node.body)
                self._calls[node.name] |= _names_used(node.body)
            elif isinstance(node, ast.ClassDef):
                self._calls[node.name].add("__init__")
        self._calls_of_variables(nodes)
        self._closed = None

    def _calls_of_variables(self, nodes: Sequence[ast.AST]) -> None:
        """A variable that is called reaches what it was made by: `forward, update = make_cell(...)`."""
        called = {n.func.id for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        for node in nodes:
            if isinstance(node, ast.Assign):
                for name in called & {n for t in node.targets for n in _target_names(t)}:
                    self._calls[name] |= _names_used([node.value])

    def add_source(self, source: str) -> None:
        """`add`, from text; a text that is not Python is left out."""
        try:
            self.add(ast.parse(source))
        except SyntaxError:
            pass

    @property
    def functions(self) -> set[str]:
        """The names of all functions, those given to a lambda included."""
        nodes = [n for tree in self._trees for n in ast.walk(tree)]
        lambdas = [n for n in nodes if isinstance(n, ast.Assign) and isinstance(n.value, ast.Lambda)]
        defined = {n.name for n in nodes if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))}
        return defined | {t.id for n in lambdas for t in n.targets if isinstance(t, ast.Name)}

    def reaches_update(self, name: str) -> bool:
        """Whether a function of this name holds or reaches a loop that may be the training loop."""
        reached, waiting = {name}, [name]
        while waiting:
            for used in self._calls.get(waiting.pop(), ()):
                if used in self._calls and used not in reached:
                    reached.add(used)
                    waiting.append(used)
        return any(
            self.evidence(loop.body)
            for tree in self._trees
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name in reached
            for loop in ast.walk(node)
            if isinstance(loop, (ast.For, ast.While))
        )

    def _closure(self) -> dict[str, set[str]]:
        if self._closed is None:
            closed = {name: set(found) for name, found in self._own.items()}
            changed = True
            while changed:
                changed = False
                for name, used in self._calls.items():
                    have = closed.setdefault(name, set())
                    more = set().union(*(closed.get(u, ()) for u in used if u in self._own or u in self._calls))
                    if not more <= have:
                        have |= more
                        changed = True
            self._closed = closed
        return self._closed

    def evidence(self, body: list[ast.stmt]) -> frozenset[str]:
        """Why a loop with this body may be the training loop."""
        closed = self._closure()
        found = own_evidence(body)
        for name in _names_used(body):
            found |= closed.get(name, set())
        return frozenset(found)

    @property
    def updates(self) -> bool:
        """Whether any loop of the program may be a training loop."""
        return any(
            self.evidence(node.body)
            for tree in self._trees
            for node in ast.walk(tree)
            if isinstance(node, (ast.For, ast.While))
        )


def _names_used(body: Iterable[ast.AST]) -> set[str]:
    used = set()
    for node in statements(body):
        if isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.Attribute):
            used.add(node.attr)
    return used
