"""Faults of the forward pass that the backward pass does not share: a softmax over the batch, a value that nothing reads.

Each edit changes the loss, so that nothing recorded can be used again: the edited program is run for each of the few.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from ...finding import Fix
from ...source import Span
from ...tape.tape import Ref, Site
from ..blame import Blame
from .expression import Text

COST = 1.25  # how simple such an edit counts beside those of the backward pass
_MOST = 16
_REDUCTIONS = {"sum", "mean", "max", "amax", "min", "amin", "std", "var", "norm", "logsumexp", "prod"}
_EXCHANGED = {"sum": "mean", "mean": "sum"}
_NAMES = (ast.Name, ast.Attribute, ast.Subscript)
_CALLS = _REDUCTIONS | {"softmax", "argmax"}


@dataclass(frozen=True, slots=True)
class ForwardEdit:
    """Edits of one forward statement (or of a whole function with one axis throughout)."""

    fixes: tuple[Fix, ...]
    name: str
    was: str
    now: str
    statement: Span
    mark: Span
    kind: str = "forward-axis"


def forward_edits(blame: Blame) -> Iterator[ForwardEdit]:
    """Columns for what broadcasts; a variable exchanged for one that nothing reads; axes exchanged and added.

    The statements nearest to what is wrong come first. Last come all axes of one function together.
    """
    yield from _drift_edits(blame)
    yield from variable_edits(blame)
    functions: dict[tuple[str, str], list[ForwardEdit]] = defaultdict(list)
    right = {pair.target for i, pair in blame.cotangents.paired.items() if blame.accepts(i)}
    known = {j for i in right for j in blame.replay.downstream([i]) if j != i}  # between a right cotangent and the loss
    for nodes in _statements(blame, known):
        site = blame.nodes[nodes[0]].site
        assert site is not None
        yield from _sum_edits(site)
        for edit in _axis_edits(site, _depths(blame, nodes)):
            functions[site.span.path, site.function].append(edit)
            yield edit
    for rows in functions.values():
        for new in dict.fromkeys(r.now for r in rows):
            same = [r for r in rows if r.now == new and not r.was.startswith("no ")]
            if len(same) > 1:
                fixes = tuple(f for r in same for f in r.fixes)
                yield replace(same[-1], fixes=fixes)


def variable_edits(blame: Blame) -> Iterator[ForwardEdit]:
    """Variables of the forward pass exchanged for others of their shape that the loss does not depend on."""
    for nodes in _statements(blame):
        site = blame.nodes[nodes[0]].site
        assert site is not None
        yield from _variable_edits(blame, site, _first_run(blame, site))


def unlike_edits(blame: Blame) -> Iterator[ForwardEdit]:
    """What stands out in the forward pass itself: a variable that nothing reads, one of several terms unlike all others."""
    yield from variable_edits(blame)
    for nodes in _statements(blame):
        site = blame.nodes[nodes[0]].site
        assert site is not None
        yield from _sum_edits(site)


def _drift_edits(blame: Blame) -> Iterator[ForwardEdit]:
    """A column for a vector, or a vector for a column, where the two broadcast to a square in what the loss is made of."""
    tried: set[tuple[str, str]] = set()
    for nodes in _statements(blame):
        for i in nodes:
            site = blame.nodes[i].site
            for operand, new in _drifting(blame, i):
                assert site is not None
                text = Text(site.statement, site.span.path)
                for was in dict.fromkeys(text.of(n) for n in _read_in(operand)):
                    same = [n for n in ast.walk(site.statement) if isinstance(n, _NAMES) and text.of(n) == was]
                    if (was, new) not in tried:
                        tried.add((was, new))
                        fixes = tuple(text.fix(n, was + new) for n in same if isinstance(n.ctx, ast.Load))
                        made, whole = _named(site.statement, site.function), text.span(site.statement)
                        yield ForwardEdit(fixes, made, was, was + new, whole, text.span(same[0]), "forward-drift")


def _read_in(expression: ast.AST) -> Iterator[ast.expr]:
    """The variables that an expression is made of, each with its attributes and indices; no called functions."""
    if isinstance(expression, _NAMES):
        yield expression
        return
    parts = expression.args if isinstance(expression, ast.Call) else ast.iter_child_nodes(expression)
    for part in parts:
        yield from _read_in(part)


def _drifting(blame: Blame, i: int) -> list[tuple[ast.expr, str]]:
    """The operands of an elementwise operation on (n,) and (n, 1), each with what would make it fit the other."""
    node = blame.nodes[i]
    operation = node.site.node if node.site is not None else None
    if not isinstance(operation, ast.BinOp) or len(node.args) != 2:
        return []
    shapes = [np.shape(blame.replay.base(a.index) if isinstance(a, Ref) else a) for a in node.args]
    size = max(shapes[0], default=0)
    if size < 2 or {(size,), (size, 1)} != set(shapes) or np.shape(node.value) != (size, size):
        return []
    sides = zip((operation.left, operation.right), shapes, strict=True)
    return sorted(
        ((s, ".reshape(-1, 1)" if len(shape) == 1 else ".ravel()") for s, shape in sides), key=lambda s: s[1], reverse=True
    )


def _statements(blame: Blame, known: Collection[int] = ()) -> Iterator[list[int]]:
    """The forward values by the statement that made them, the last statement first; without those `known` to be right."""
    found: dict[tuple[str, int], list[int]] = defaultdict(list)
    canonical, forward = blame.replay.canonical, blame.cotangents.forward
    for i in range(max(forward, default=0), -1, -1):
        wanted = canonical[i] in forward and canonical[i] not in known  # equal values are one: all that made them count
        site = blame.nodes[i].site if wanted else None
        if site is not None:
            found[site.span.path, site.statement.lineno].append(i)
    yield from found.values()


def _depths(blame: Blame, nodes: list[int]) -> dict[tuple[int, int], int]:
    """How many axes each operation of a statement sees, by the end of its text."""
    found: dict[tuple[int, int], int] = {}
    for i in nodes:
        site = blame.nodes[i].site
        if site is not None:
            depth = max((np.ndim(blame.nodes[j].value) for j in blame.nodes[i].inputs()), default=0)
            key = (site.span.end_line, site.span.end_column)
            found[key] = max(depth, found.get(key, 0))
    return found


def _first_run(blame: Blame, site: Site) -> int:
    """The first value that a statement made, in any step."""
    return next(i for i, node in enumerate(blame.nodes) if node.site is not None and node.site.statement is site.statement)


def _named(statement: ast.stmt, function: str) -> str:
    target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", statement)
    return f"{function}()" if isinstance(statement, ast.Return) else ast.unparse(target).splitlines()[0]


def _sum_edits(site: Site) -> Iterator[ForwardEdit]:
    """A mean for a sum over everything, and the other way round, where one of several terms of a form is unlike all others.

    The mean of an error beside the sums of the weights' squares is of another form.
    """
    statement, text = site.statement, Text(site.statement, site.span.path)
    reductions = [n for n in ast.walk(statement) if isinstance(n, ast.Call) and not n.keywords and _called(n) in _EXCHANGED]
    forms = [_form(n) for n in reductions]
    for node, form in zip(reductions, forms, strict=True):
        names = [_called(n) for n, other in zip(reductions, forms, strict=True) if other == form]
        if len(names) < 3 or names.count(_called(node)) > 1:
            continue
        assert isinstance(node.func, ast.Attribute)
        was, new = _called(node), f"{text.of(node.func.value)}.{_EXCHANGED[_called(node)]}"
        fix, whole = text.fix(node.func, new), text.span(statement)
        name = _named(statement, site.function)
        yield ForwardEdit((fix,), name, was, _EXCHANGED[was], whole, text.span(node.func), "forward-scale")


def _form(node: ast.Call) -> str:
    """What is reduced, whatever the variables in it are."""
    return " ".join(ast.dump(_Blank().visit(ast.parse(ast.unparse(a), mode="eval"))) for a in node.args)


class _Blank(ast.NodeTransformer):
    """Puts one name in the place of all variables."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name("_")

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return ast.Name("_")

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        return ast.Name("_")


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _axis_edits(site: Site, depths: dict[tuple[int, int], int]) -> Iterator[ForwardEdit]:
    statement, text = site.statement, Text(site.statement, site.span.path)
    name = _named(statement, site.function)
    whole = text.span(statement)
    for node in ast.walk(statement):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        values = list(_axes(node, called))
        end = text.span(node)
        depth = depths.get((end.end_line, end.end_column), max(depths.values(), default=0) if values else 0)
        axes = [str(k) for k in range(depth - 1, -1, -1)] if depth > 1 else []
        for value in values:
            was = ast.unparse(value)
            same = {was, str(depth - 1) if was == "-1" else "-1" if was == str(depth - 1) else was}
            for new in _tuples(value, depth) if isinstance(value, ast.Tuple) else axes:
                if new not in same:
                    mark = text.span(value)
                    yield ForwardEdit((text.fix(value, new),), name, f"axis={was}", f"axis={new}", whole, mark)
        bare = not values and all(k.arg not in ("axis", "dim") for k in node.keywords)
        if bare and called in _REDUCTIONS and text.of(node).endswith(")") and isinstance(node.func, ast.Attribute):
            head = text.of(node)[:-1].rstrip().rstrip(",")
            for new in axes:
                added = f"{head}{'' if head.endswith('(') else ', '}axis={new})"
                yield ForwardEdit((text.fix(node, added),), name, "no axis", f"axis={new}", whole, text.span(node))


def _axes(node: ast.Call, name: str) -> Iterator[ast.expr]:
    for keyword in node.keywords:
        if keyword.arg in ("axis", "dim") and isinstance(keyword.value, (ast.Constant, ast.UnaryOp, ast.Tuple)):
            if ast.unparse(keyword.value) != "None":
                yield keyword.value
    if name in _CALLS and node.args and isinstance(node.args[-1], ast.Constant) and type(node.args[-1].value) is int:
        yield node.args[-1]


def _tuples(value: ast.Tuple, depth: int) -> list[str]:
    """Several axes with another one, or without one of them."""
    own = [e.value for e in value.elts if isinstance(e, ast.Constant) and isinstance(e.value, int)]
    if len(own) < len(value.elts):
        return []
    more = [sorted([*own, k]) for k in range(depth) if k not in own]
    less = [[k for k in own if k != j] for j in own] if len(own) > 2 else []
    return [str(tuple(row)) for row in (*more, *less)]


@dataclass(frozen=True, slots=True)
class _Variable:
    """A variable of a function: its shape, from which operation on it is there, whether the loss depends on it."""

    shape: tuple[int, ...]
    at: int
    read: bool


def _variable_edits(blame: Blame, site: Site, at: int) -> Iterator[ForwardEdit]:
    """A variable of one statement exchanged for one that the step makes or changes, and the loss does not depend on."""
    text = Text(site.statement, site.span.path)
    known = _variables(blame, site)
    unread = {n: v for n, v in known.items() if not v.read and v.at <= at}  # what it can read when it runs first
    value = getattr(site.statement, "value", None)
    if value is None or not unread:
        return
    for node in ast.walk(value):
        name = ast.unparse(node) if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) else ""
        if name not in known or not known[name].read:
            continue
        for other in sorted(n for n, v in unread.items() if v.shape == known[name].shape):
            whole, made = text.span(site.statement), _named(site.statement, site.function)
            yield ForwardEdit((text.fix(node, other),), made, name, other, whole, text.span(node), "forward-variable")


def _variables(blame: Blame, site: Site) -> dict[str, _Variable]:
    """The variables that a statement may read. Of what the loss does not depend on: parameters, and forward values."""
    cotangents, canonical = blame.cotangents, blame.replay.canonical
    loss = cotangents.loss.nodes
    last = max(cotangents.forward, default=0)
    found: dict[str, _Variable] = {}
    begun: dict[str, int] = {}  # from which operation on a variable is there: what is read or changed first was before
    for b in blame.replay.tape.bindings:
        if b.node is None or b.site.function not in (site.function, "<module>"):
            continue
        begun.setdefault(b.name, 0 if b.how in ("augmented", "read") else b.at)
        node = canonical[b.node]
        shape = np.shape(blame.nodes[node].value)
        if node in loss:
            found[b.name] = _Variable(shape, b.at, True)
        elif node in cotangents.live and node not in cotangents.backward and b.name not in found:
            if b.how == "augmented" or node < last:
                found[b.name] = _Variable(shape, begun[b.name], False)
    for held in blame.training.parameters:
        node = held.tensor.nodes[0]
        if node in loss:
            found[held.tensor.name] = _Variable(np.shape(blame.nodes[node].value), 0, True)
    return found


def first_that(fits: Callable[[tuple[Fix, ...]], bool], edits: Iterator[ForwardEdit]) -> ForwardEdit | None:
    """The first of the edits under which all gradients are right."""
    for edit in islice(edits, _MOST):
        if fits(edit.fixes):
            return edit
    return None
