"""Penalties on weights: what a gradient holds besides that of the data, and whether a loss has the same.

A decay that is part of a gradient, of a loss that reports the data's error alone, is no fault; nor is one that the update
does by itself where the loss holds the penalty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..tape.adjoint import Claim
from ..tape.algebra import ADD, NEG, SUB, Algebra, Term, is_any
from ..tape.buffers import Augment
from ..tape.replay import Objective, Replay
from ..tape.tape import Node, Ref
from ..tape.training import Held, LossFound, Penalty, Training

_DEEP = 8  # nested sums that are looked into


def split(replay: Replay, claim: Claim) -> tuple[Claim, tuple[Penalty, ...]]:
    """A claim without the penalties that its sums hold, and these."""
    algebra = Algebra(replay)
    terms, penalties = [], []
    for node, own in zip(claim.tensor.nodes, claim.terms, strict=True):
        if any(replay.canonical[t.node] == replay.canonical[node] for t in own):
            terms.append(own)  # the change that an update by rows made
            continue
        rest: list[Term] = []
        sums = {"l2": 0.0, "l1": 0.0, "times": 0.0}
        for term in own:
            _expand(replay, algebra, term, node, rest, sums, 0)
        # a bias stands in the error of each sample, and what is left of the error does not depend on it
        once = sums["times"] == 1 or (sums["times"] == 2 and sums["l1"])
        if once and min(sums.values()) >= 0 and any(_is_made_of(replay, t.node, node) for t in rest):
            terms.append(tuple(rest))
            penalties.append(Penalty(node, sums["l2"], sums["l1"]))
        else:
            terms.append(own)
    return Claim(claim.tensor, tuple(terms)), tuple(penalties)


def _is_made_of(replay: Replay, i: int, value: int) -> bool:
    return replay.depends(i, {replay.canonical[value]})


def _expand(
    replay: Replay,
    algebra: Algebra,
    term: Term,
    value: int,
    rest: list[Term],
    sums: dict[str, float],
    depth: int,
    *,
    bare: bool = False,
) -> None:
    """Sort the terms of a sum: multiples of the value itself, of its sign, and what is left.

    A value that stands in a sum with no factor (`bare`) is the bias in an error, and no penalty.
    """
    node = replay.tape.nodes[term.node]
    if _looks_at(replay, term.node, value) and bare:
        rest.append(term)
        return
    if _looks_at(replay, term.node, value):
        sums["l2"] += term.factor
        sums["times"] += 1
        return
    if node.name in ("sign", "copysign") and _looks_at(replay, _first(node), value):
        sums["l1"] += term.factor
        sums["times"] += 1
        return
    parts = _parts(algebra, node, term.factor, value) if depth < _DEEP else []
    found: list[Term] = []
    inner = dict.fromkeys(sums, 0.0)
    for part in parts:
        _expand(replay, algebra, part, value, found, inner, depth + 1, bare=len(parts) > 1)
    if any(inner.values()):
        rest += found
        for key in sums:
            sums[key] += inner[key]
    else:
        rest.append(term)  # nothing of the value in it: whole, as the code has it


def _parts(algebra: Algebra, node: Node, factor: float, value: int) -> list[Term]:
    """The terms of a sum, a difference, a negation, a sum in place, or a multiple of one that is the same for any value."""
    args = [a for a in node.args if isinstance(a, Ref)]
    if node.kind == "op" and len(args) == 2 and is_any(node.op, ADD | SUB):
        return [Term(factor, args[0].index), Term(-factor if is_any(node.op, SUB) else factor, args[1].index)]
    if node.kind == "op" and len(args) == 1 and is_any(node.op, NEG):
        return [Term(-factor, args[0].index)]
    whole = node.kind == "write" and node.args[1] is None and node.args[2] is None and len(args) == 2
    if whole and isinstance(node.op, Augment) and is_any(node.op.op, ADD | SUB):
        return [Term(factor, args[0].index), Term(-factor if is_any(node.op.op, SUB) else factor, args[1].index)]
    divided = algebra.scalar_split(node.index)
    if divided is not None:
        scalar, other, inverse = divided
        if isinstance(scalar, Ref) and _is_made_of(algebra.replay, scalar.index, value):
            return []
        number = float(np.reshape(algebra.value(scalar), ()))
        if number and np.isfinite(number):
            return [Term(factor / number if inverse else factor * number, other.index)]
    return []


def _first(node: Node) -> int:
    return next((a.index for a in node.args if isinstance(a, Ref)), node.index)


def _looks_at(replay: Replay, i: int, value: int) -> bool:
    """Whether a node is a value, or a view or copy of all of it."""
    canon, nodes = replay.canonical, replay.tape.nodes
    while canon[i] != canon[value]:
        name = nodes[i].name
        refs = [a.index for a in nodes[i].args if isinstance(a, Ref)]
        same = np.shape(nodes[i].value) == np.shape(nodes[value].value)
        if len(refs) != 1 or not same or not (nodes[i].kind == "view" or name in ("copy", "array", "asarray")):
            return False
        i = refs[0]
    return True


def penalised(replay: Replay, loss: LossFound, node: int) -> bool:
    """Whether a loss holds a function of the value alone: a sum of its squares, its norm."""
    nodes = replay.tape.nodes
    start = replay.canonical[node]
    own = {start}
    for i in sorted(j for j in loss.nodes if j > start):
        inputs = replay.inputs(i)
        if not own.intersection(inputs) or not all(j in own or _is_number(nodes[j]) for j in inputs):
            continue
        if np.size(nodes[i].value) == 1 and (np.size(nodes[node].value) > 1 or _is_bent(nodes[i])):
            return True
        own.add(i)
    return False


def is_whole(training: Training, loss: LossFound, held: Held) -> bool:
    """Whether a gradient with its penalties is parallel to that of a loss, which holds them then in whatever form."""
    if sum(np.size(training.replay.base(i)) for i in held.tensor.nodes) < 2:
        return False
    ratio = training.adjoints.ratio(held.claim, loss.objective)
    return ratio is not None and bool(ratio.value) and not ratio.zero


def _is_number(node: Node) -> bool:
    return node.kind == "leaf" and np.size(node.value) == 1


def _is_bent(node: Node) -> bool:
    name = node.name
    refs = [a.index for a in node.args if isinstance(a, Ref)]
    return name in ("pow", "power", "square", "abs", "absolute", "fabs") or (
        name in ("mul", "multiply") and len(set(refs)) < len(refs)
    )


def with_penalties(training: Training, loss: LossFound) -> LossFound:
    """The loss with the penalties that gradients hold and it does not, or without those that the updates do by themselves."""
    found: list[Penalty] = []
    scale = _scale(training, loss)
    if loss.source == "implied" and any(h.penalties for h in training.parameters):
        loss, scale = scaled_loss(loss, scale), 1.0  # a penalty says how large the error is meant to be
    nodes = [i for h in training.parameters for i in h.tensor.nodes]
    whole = {i for h in training.parameters if h.penalties and is_whole(training, loss, h) for i in h.tensor.nodes}
    bare = (i for i in nodes if i not in whole and not penalised(training.replay, loss, i))
    loss = replace(loss, unpenalised=frozenset(bare))
    for held in training.parameters:
        open_ = [p for p in held.penalties if p.node in loss.unpenalised]
        found += [replace(p, l2=p.l2 / scale, l1=p.l1 / scale) for p in open_]
        if held.decays and not held.penalties and held.tensor.nodes[0] not in loss.unpenalised:
            own = _separate(training, loss, held)
            found += [own] if own is not None else []
    return penalised_loss(training.replay, loss, found) if found else loss


def _scale(training: Training, loss: LossFound) -> float:
    """The factor between the gradients of the data and those of the loss: 1 where any fits, else what most of them have."""
    values = []
    for held in training.parameters:
        ratio = training.adjoints.ratio(held.data_claim, loss.objective)
        if ratio is not None and ratio.right and not ratio.zero:
            return 1.0
        if ratio is not None and ratio.value is not None and not ratio.zero and ratio.value:
            values.append(ratio.value)
    values = [v for v in values if v > 0] or [-v for v in values]  # the wrong sign of all is no scale
    return max(values, key=lambda v: sum(abs(v - w) <= 1e-6 * v for w in values), default=1.0)


def _separate(training: Training, loss: LossFound, held: Held) -> Penalty | None:
    """The penalty in the loss that a gradient leaves to the decay of its update: the multiple of the value it lacks.

    Two directions give the multiples, two more test them.
    """
    [node, *more] = held.tensor.nodes
    value = np.asarray(training.replay.base(node), dtype=float)
    if more or value.size < 4:
        return None
    rows, claimed = [], []
    for number in (0, 1, 2, 3):
        slope = training.adjoints.slope(held.tensor, loss.objective, number)
        if slope is None:
            return None
        rows.append((slope.value, float(np.sum(value * training.adjoints.direction(node, number)))))
        claimed.append(training.adjoints.claimed(held.claim, number)[0])
    (a, b), *_ = np.linalg.lstsq(np.array(rows[:2]), np.array(claimed[:2]), rcond=None)
    off = [abs(a * r[0] + b * r[1] - c) for r, c in zip(rows, claimed, strict=True)]
    size = [abs(a * r[0]) + abs(b * r[1]) + abs(c) for r, c in zip(rows, claimed, strict=True)]
    if a <= 0 or b >= 0 or any(o > 1e-7 * s for o, s in zip(off, size, strict=True)):
        return None
    return Penalty(node, float(b / a))


def scaled_loss(loss: LossFound, scale: float) -> LossFound:
    """A multiple of a loss."""
    return loss if scale == 1.0 else replace(loss, objective=loss.objective.times(scale))


def penalised_loss(replay: Replay, loss: LossFound, penalties: Sequence[Penalty]) -> LossFound:
    """A loss and penalties as one loss."""

    def combine(values: Sequence[Any]) -> Any:
        total: Any = 0.0
        for p, w in zip(penalties, values, strict=True):
            w = np.asarray(w)
            total = total + p.l2 / 2 * np.sum(w**2) + p.l1 * np.sum(w * np.sign(w.real))
        return total

    objective = loss.objective.plus(Objective(("penalties", tuple(penalties)), tuple(p.node for p in penalties), combine))
    if all(p.l2 < 0 for p in penalties):
        name = f"{loss.name} without the penalty that the update makes"
    else:
        name = f"{loss.name} with {'weight decay' if all(p.l1 == 0 for p in penalties) else 'a penalty on the weights'}"
    return replace(loss, objective=objective, name=name)
