"""Which values on a tape are parameters, what their gradient is, and which of the training steps they belong to.

A parameter is a value whose update depends on the value itself: the gradient of a model does, a momentum, a running sum or
an accumulator does not. Its gradient is the update without the value itself and without the scalar factors.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..tape.algebra import Term
from ..tape.steps import Steps, Update
from ..tape.tape import Binding, Node, Ref
from .behind import Behind, Gradient
from .company import Evidence
from .conventions import is_cache_name
from .updated import Updated


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter in one step: `origin` is the node the forward pass read; `update` is None where nothing updates it."""

    name: str
    parts: tuple[Hashable, ...]
    place: Hashable
    origin: int
    update: Update | None
    gradient: Gradient | None
    last: int | None = None  # the node after the step's whole update
    home: Hashable = None  # the place that gives it its name
    decays: bool = False  # whether the update makes it smaller besides
    evidence: Evidence = "update"

    @property
    def group(self) -> str:
        """The name of the list a scalar stands in: 'weights' for weights[0][1]."""
        return str(self.parts[0]) if self.parts else self.name


class Parameters:
    """The parameters of a tape, found from its updates."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.replay = steps.replay
        self.nodes = steps.tape.nodes
        self.updated = Updated(steps)
        self.behind = Behind(self.updated)

    @property
    def updates(self) -> list[tuple[Update, int]]:
        """The updates of parameters, each with the version of the parameter that the forward pass read."""
        return self.updated.updates

    @cached_property
    def by_step(self) -> list[list[Parameter]]:
        """The parameters of each recorded training step, in the order of their updates."""
        groups: dict[tuple[Any, int], list[Update]] = defaultdict(list)
        for update, origin in self.updates:
            groups[self.updated.place(update), origin].append(update)
        ordered = sorted(groups.items(), key=lambda item: item[1][0].new)
        changes = [(place, updates, self.updated.starts.get(updates[0].new, 0)) for (place, _), updates in ordered]
        numbers = _numbers(changes, [self._first_read(updates[0]) for _, updates, _ in changes])
        steps: list[list[tuple[Hashable, int, list[Update]]]] = [[] for _ in range(max(numbers, default=-1) + 1)]
        for number, ((place, origin), updates) in zip(numbers, ordered, strict=True):
            steps[number].append((place, origin, updates))
        found = []
        for members in steps:
            self.behind.begin_step([u for _, _, updates in members for u in updates])
            found.append([self._parameter(place, origin, updates) for place, origin, updates in members])
        return [members for members in found if members]

    def _first_read(self, update: Update) -> int:
        """The first operation that reads what an update changes."""
        return min(self.replay.index.consumers.get(update.old, ()), default=update.new)

    def _parameter(self, place: Hashable, origin: int, updates: list[Update]) -> Parameter:
        binding = self.best_name(origin, updates[0].binding)
        name, parts = (binding.name, binding.parts) if binding else (self.read_name(origin), ())
        learning = [u for u in updates if not self.updated.is_penalty(u, origin)] or updates
        if all(self._covers(u) for u in updates):
            gradient = self.behind.gradient_of(learning, origin)
        else:
            gradient = self._gradient_in_parts(learning, origin)
        home = binding.place if binding else None
        evidence = self.updated.evidence.get(updates[0].new, "update")
        decays = evidence == "update" and self.updated.shrinks(updates, origin) and self.behind.whole(learning) is None
        return Parameter(name, parts or (name,), place, origin, learning[0], gradient, updates[-1].new, home, decays, evidence)

    def _covers(self, update: Update) -> bool:
        """Whether an update changes all of its value at once, and not an element or a row of it."""
        node = self.nodes[update.new]
        at = getattr(getattr(node.op, "function", None), "__name__", "") == "at"  # np.subtract.at(W, rows, ...)
        return node.kind != "write" or (node.args[1] is None and _is_whole(node) and not at)

    def _gradient_in_parts(self, updates: list[Update], origin: int) -> Gradient | None:
        """The gradient of a value that is updated by rows or elements: its whole change without the scalar factors."""
        chains = [self.behind.strippings(u.terms[0].node)[-1] for u in updates]
        products = {round(abs(c.product), 15) for c in chains}
        if len(products) != 1 or products == {0.0} or any(len(u.terms) != 1 for u in updates):
            return None
        size = products.pop()
        terms = (Term(-1.0 / size, updates[-1].new), Term(1.0 / size, origin))
        found = self.behind.named(chains[0], 1.0, exact=True)
        return Gradient(terms, found.factors, found.name, found.site, found.named)

    def best_name(self, node: int, preferred: Binding | None) -> Binding | None:
        """What a person calls a value: the slot or attribute its update changes, else an outer name before an inner one."""
        if preferred is not None and len(preferred.parts) > 1:
            return preferred
        held = [b for i in self._versions(node) for b in self.replay.index.names.get(i, ())]
        names = [b for b in held if b.how not in ("return", "loop", "append")]
        if preferred is not None:
            names.append(preferred)
        return min(names, key=lambda b: (self._doubt(b), b.how == "argument", b.scope, b.at), default=None)

    def _doubt(self, binding: Binding) -> tuple[bool, bool, int]:
        """What speaks against a name: a loop's variable says less than the element of a list or dictionary."""
        passing = 2 if binding.place in self._turned else int(binding.how == "element")
        return _is_cache(binding), len(binding.parts) > 3, passing

    @cached_property
    def _turned(self) -> set[Hashable]:
        """The variables of loops: each stands for one value after the other."""
        return {b.place for b in self.steps.tape.bindings if b.how == "loop"}

    def _versions(self, node: int) -> Iterator[int]:
        """A value and what it was before it was changed in place: the array keeps the names that it had."""
        yield node
        while self.nodes[node].kind == "write":
            node = self.nodes[node].args[0].index
            yield node

    def read_name(self, node: int) -> str:
        """The expression by which the code reads a value that it never names while being recorded."""
        for i in self.replay.index.consumers.get(node, ()):
            text = operand_text(self.nodes[i], node)
            if text:
                return text
        return f"value {node}"


def _numbers(changes: Sequence[tuple[Hashable, list[Update], int]], reads: Sequence[int]) -> list[int]:
    """The step that each change of a place belongs to, in order of time; each comes with the node its step began at.

    `reads` tells for each change which operation first read what is changed.

    A place that only some steps change (the head of one task, the row of one word) is changed in the step that the others
    are in by then. A training that begins when all steps of another one are over has steps of its own.
    """
    times: dict[Hashable, list[int]] = defaultdict(list)
    begun: dict[Hashable, list[int]] = defaultdict(list)  # where the steps after the first one began
    for place, updates, start in changes:
        times[place].append(updates[0].new)
        if len(times[place]) > 1:
            begun[place].append(start if start > times[place][-2] else updates[0].new)
    first: dict[Hashable, int] = {}
    numbers: list[int] = []
    last: dict[Hashable, int] = {}
    for (place, updates, _), read in zip(changes, reads, strict=True):
        at = updates[0].new
        over = [first[q] + len(t) for q, t in times.items() if q in first and len(t) > 1 and t[-1] < read]
        together = [first[q] + bisect_right(begun[q], at) for q in first if q != place]
        number = last[place] + 1 if place in last else max(over, default=0)
        numbers.append(max([number, *together]))
        first.setdefault(place, numbers[-1])
        last[place] = numbers[-1]
    return numbers


def _is_cache(binding: Binding) -> bool:
    return any(isinstance(p, str) and is_cache_name(p) for p in binding.parts)


def _is_whole(node: Node) -> bool:
    key = node.args[2]
    return (
        key is None
        or key is Ellipsis
        or (isinstance(key, slice) and key == slice(None))
        or not isinstance(key, (Ref, tuple, list, int, np.ndarray, slice))
    )


def operand_text(node: Node, wanted: int) -> str:
    """The source text of the operand of `node` that is the node `wanted`, or ''."""
    import ast

    site = node.site
    if site is None:
        return ""
    tree = site.node
    children: list[ast.AST] = []
    if isinstance(tree, ast.BinOp):
        children = [tree.left, tree.right]
    elif isinstance(tree, ast.Call):
        children = [*([tree.func.value] if isinstance(tree.func, ast.Attribute) else []), *tree.args]
    elif isinstance(tree, ast.Subscript):
        children = [tree.value]
    refs = [a.index if isinstance(a, Ref) else None for a in node.args]
    offset = len(children) - len(refs) if len(children) >= len(refs) else 0
    for child, index in zip(children[offset:], refs, strict=False):
        if index == wanted and isinstance(child, (ast.Name, ast.Attribute, ast.Subscript)):
            return ast.unparse(child)
    return ""
