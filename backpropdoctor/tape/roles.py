"""Updates that make a new value for a new place: `return {"W1": W1 - lr * dW1}`, `v = [mu * v - lr * g for v, g in zip(v, g)]`.

They are known by what reads the value next: the expressions that read the old one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .algebra import ADD, SUB, Term, is_any
from .tape import Node, Ref

if TYPE_CHECKING:
    from .steps import Steps, Update


def by_role(steps: Steps, known: set[int]) -> Iterator[Update]:
    """The updates of values that have no place of their own; `known` are the values of the others.

    What a state makes smaller before it adds to it is looked for too: there its new value comes of a multiple of the old.
    """
    heirs: set[int] = set()
    proven: set[int | None] = set()
    for node in steps.tape.nodes:
        if node.kind != "op" or not is_any(node.op, ADD | SUB) or node.index in known:
            continue
        terms = steps.algebra.terms(node.index, whole=heirs)
        for old in _carried(steps, terms):
            if old.index in known or not _keeps_place(old.value, node.value) or np.asarray(node.value).dtype.kind != "f":
                continue
            alike = _is_made_alike(old, node)
            if not alike and old.index not in heirs and not _is_beginning(steps, old):
                continue
            site = node.site.id if node.site else None
            if not alike and site not in proven and not _inherits(steps, old.index, node.index):
                continue
            update = steps.from_terms(old.index, node.index, terms, node.site, None)
            if update is not None:
                proven.add(site)
                heirs.add(node.index)
                yield update
                break


def _carried(steps: Steps, terms: Sequence[Term]) -> Iterator[Node]:
    """The values that the terms of a sum are, then the arrays that they are fractions of: a state that decays."""
    for term in terms:
        if term.factor == 1.0:
            yield steps.tape.nodes[term.node]
    for term in terms:
        scaling = steps.algebra.all_scalings(term.node)[-1]
        is_array = np.ndim(steps.tape.nodes[scaling.node].value) > 0  # of numbers any may be a factor of the other
        if is_array and scaling.factors and scaling.inside == 1.0 and 0 < term.factor * scaling.product < 1:
            yield steps.tape.nodes[scaling.node]


def _is_made_alike(old: Node, new: Node) -> bool:
    """Whether one expression made both values, the second one of the first: a state that is carried from turn to turn."""
    return old.kind == "op" and old.site is not None and new.site is not None and old.site.id == new.site.id


def _is_beginning(steps: Steps, node: Node, depth: int = 0) -> bool:
    """Whether a value comes from outside, or is made of random draws and numbers: what a parameter begins as."""
    if node.kind == "leaf" and (depth == 0 or np.size(node.value) == 1) or node.kind == "random":
        return True
    inputs = [steps.tape.nodes[i] for i in node.inputs()]
    return node.kind == "op" and depth < 5 and bool(inputs) and all(_is_beginning(steps, i, depth + 1) for i in inputs)


def _inherits(steps: Steps, old: int, new: int) -> bool:
    nodes, consumers = steps.tape.nodes, steps.replay.index.consumers
    before = {_reading(nodes[i], old) for i in consumers.get(old, ()) if i < new}
    after = {_reading(nodes[i], new) for i in consumers.get(new, ())}
    return bool((before & after) - {None})


def _reading(node: Node, read: int) -> tuple[int, int] | None:
    """Where a node reads a value: its expression, and which operand of it."""
    if node.site is None:
        return None
    at = next((k for k, a in enumerate(node.args) if isinstance(a, Ref) and a.index == read), -1)
    return node.site.id, at


def _keeps_place(old: Any, new: Any) -> bool:
    """Whether a value may be the heir of another: of its shape, or of the shape an array grew to by broadcasting."""
    return np.shape(old) == np.shape(new) or (np.ndim(old) > 0 and grown(old, new))


def grown(old: Any, new: Any) -> bool:
    """Whether a value grew by broadcasting when it was updated."""
    try:
        return np.broadcast_shapes(np.shape(old), np.shape(new)) == np.shape(new)
    except ValueError:
        return False
