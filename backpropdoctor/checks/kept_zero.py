"""Entries of a parameter that its gradient is kept from changing: `dJ * (1 - np.eye(n))`, `grad[0] = 0`.

A mask of zeros and ones that depends on no parameter, or a literal zero written into a gradient, says that these entries are
not trained: a diagonal that stays zero, the row of a padding token, pruned weights. The others are held against the loss.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..tape.adjoint import Ratio, proportion, sure_slope
from ..tape.algebra import MUL, Algebra, is_any
from ..tape.buffers import Augment, Into
from ..tape.tape import Node, Ref
from ..tape.training import Held, Training

_DIRECTIONS = (0, 1, 2)


def ratio_where_trained(training: Training, held: Held) -> Ratio | None:
    """A gradient over the truth in the entries that it is not kept from changing; None where there is no such mask."""
    trained = trained_entries(training, held)
    if trained is None or training.loss is None:
        return None
    [node] = held.tensor.nodes
    pairs = []
    for number in _DIRECTIONS:
        along = training.adjoints.direction(node, number) * trained
        slope = sure_slope(training.replay.line({node: along}, training.loss.objective))
        if slope is None:
            return None
        claimed = sum(t.factor * float(np.sum(training.replay.base(t.node) * along)) for t in held.claim.terms[0])
        pairs.append((claimed, 1e-13 * abs(claimed), slope.value, slope.error))
    found = proportion(pairs)
    return None if found.zero else found


def trained_entries(training: Training, held: Held) -> Any:
    """1 where a gradient may change its parameter, 0 where it is kept from it; None where it may do so everywhere."""
    if len(held.tensor.nodes) > 1 or len(held.claim.terms[0]) > 1:
        return None
    replay, algebra = training.replay, Algebra(training.replay)
    shape = np.shape(replay.base(held.tensor.nodes[0]))
    live = replay.downstream(training.origins)
    trained = np.ones(shape)
    node: Node | None = replay.tape.nodes[held.node]
    while node is not None and np.shape(node.value) == shape and shape:
        masked = _masked(training, node, live) or _zeroed(training, node, live)
        split = algebra.scalar_split(node.index)
        if masked is not None:
            trained, inner = trained * masked[0], masked[1]
        elif split is not None:
            inner = split[1].index
        else:
            break
        node = replay.tape.nodes[inner]
    return trained if 0 < np.count_nonzero(trained) < trained.size else None


def _masked(training: Training, node: Node, live: set[int]) -> tuple[Any, int] | None:
    """The mask of a product with one, and what it is multiplied with."""
    if node.kind not in ("op", "write") or len(node.args) < 2:
        return None
    op: Any = node.op
    if isinstance(op, Augment) and node.args[1] is None and node.args[2] is None:
        op = op.op
    if not is_any(op, MUL):
        return None
    first, last = node.args[0], node.args[-1]
    for mask, other in ((first, last), (last, first)):
        value = _constant(training, mask, live)
        if value is not None and isinstance(other, Ref) and np.ndim(value) and np.all((value == 0) | (value == 1)):
            return value, other.index
    return None


def _zeroed(training: Training, node: Node, live: set[int]) -> tuple[Any, int] | None:
    """Where a literal zero was written into a value, at places that depend on no parameter, and the value before."""
    if node.kind != "write" or isinstance(node.op, (Augment, Into)) or len(node.args) < 4:
        return None
    old, *_, written = node.args
    keys = {training.replay.canonical[i] for i in node.inputs()} - {training.replay.canonical[old.index]}
    value = _constant(training, written, live)
    if keys & live or value is None or np.ndim(value) or value != 0:
        return None
    before, after = np.asarray(training.replay.base(old.index)), np.asarray(node.value)
    return np.where((before != 0) & (after == 0), 0.0, 1.0), old.index


def _constant(training: Training, operand: Any, live: set[int]) -> Any:
    """An operand as an array, where it depends on no parameter and no draw."""
    if not isinstance(operand, Ref):
        return np.asarray(operand)
    index = training.replay.canonical[operand.index]
    drawn = any(training.replay.tape.nodes[i].kind == "random" for i in training.replay.upstream([index]))
    return None if index in live or drawn else np.asarray(training.replay.base(index))
