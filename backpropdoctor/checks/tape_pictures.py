"""The pictures of what a tape's check found wrong: heat maps and ladders, measured by replay within a fixed amount of work.

The work is counted in numbers computed and not in seconds, so that the same program gives the same pictures everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import ReplayError
from ..finding import Checked
from ..numeric.estimate import Estimate
from ..tape.adjoint import complex_slope, shaped
from ..tape.training import Held, Training
from .gradients import Check
from .pictures import STEPS, heatmap, ladder, quotients

MOST = 6  # tensors with pictures
CELLS = 144  # of one heat map
WORK = 6e7  # numbers that may be computed again for all pictures of a report: about a second
_FEWEST = 8  # cells: a heat map of fewer shows less than its two numbers
_PRODUCTS = 4.0  # multiplications of a matrix product that take as long as one number of another operation


def with_pictures(check: Check, rows: Sequence[Checked]) -> list[Checked]:
    """The rows of a table, those that are not right with the evidence of their drawings, as far as the work allows.

    `rows` are those of `check.measured`, in its order; further ones are passed on.
    """
    training = check.training
    found = list(rows)
    chosen = [k for k, m in enumerate(check.measured) if m.ratio is not None and found[k].verdict != "right"][:MOST]
    for number, k in enumerate(chosen):
        room = WORK / (len(chosen) if number else 1) / (1 if number else 2)  # the first one gets half of it
        evidence = _evidence(training, check.measured[k].held, found[k], check.uniform, room)
        if evidence:
            found[k] = replace(found[k], evidence={**found[k].evidence, **evidence})
    return found


def _evidence(training: Training, held: Held, row: Checked, factor: float, room: float) -> dict[str, Any]:
    calls = int(room / max(_work(training, held), 1.0))
    steps = STEPS if calls >= 6 * len(STEPS) else STEPS[::2] if calls >= 2 * len(STEPS) else ()
    cells = min(CELLS, calls - 2 * len(steps))
    drawn: dict[str, Any] = {}
    gradient = _gradient(training, held)
    if gradient is not None and row.method.startswith("complex") and cells >= min(_FEWEST, gradient.size):
        drawn["heatmap"] = heatmap(gradient, lambda u: _slope(training, held, u), cells, factor)
    if steps:
        drawn["ladder"] = _ladder(training, held, row, factor, steps)
    return {key: value for key, value in drawn.items() if value}


def _work(training: Training, held: Held) -> float:
    """How many numbers one evaluation computes again; a matrix product counts by its multiplications."""
    assert training.loss is not None
    replay = training.replay
    again = replay.downstream(held.tensor.nodes) & replay.upstream(training.loss.objective.nodes)
    return sum(_cost(training, i) for i in again)


def _cost(training: Training, index: int) -> float:
    node = training.replay.tape.nodes[index]
    size = float(np.size(node.value))
    if node.name not in ("matmul", "dot", "einsum", "tensordot", "imatmul", "inner", "vdot"):
        return size
    for i in training.replay.inputs(index):
        size *= float(np.size(training.replay.tape.nodes[i].value))
    return max(float(np.size(node.value)), float(np.sqrt(size)) / _PRODUCTS)


def _gradient(training: Training, held: Held) -> np.ndarray | None:
    """The code's gradient in the shape of its tensor; that of a list of numbers as a row."""
    parts = []
    for node, terms in zip(held.tensor.nodes, held.claim.terms, strict=True):
        shape = np.shape(training.replay.base(node))
        try:
            parts.append(np.asarray(sum(t.factor * shaped(training.replay.base(t.node), shape) for t in terms)))
        except ValueError:
            return None
    if len(parts) == 1:
        return parts[0]
    return np.array([float(p) for p in parts]) if all(p.size == 1 for p in parts) else None


def _slope(training: Training, held: Held, u: np.ndarray) -> Estimate | None:
    assert training.loss is not None
    nodes = held.tensor.nodes
    directions = {nodes[0]: u} if len(nodes) == 1 else {i: np.float64(part) for i, part in zip(nodes, u.flat, strict=True)}
    try:
        return complex_slope(training.replay.line(directions, training.loss.objective))
    except ReplayError:
        return None


def _ladder(training: Training, held: Held, row: Checked, factor: float, steps: Sequence[float]) -> dict[str, Any] | None:
    assert training.loss is not None
    if row.numeric is None:
        return None
    phi = training.adjoints.line(held.tensor, 0, training.loss.objective)
    claim = None if row.analytic is None else row.analytic / factor
    return ladder(quotients(phi, steps), row.numeric, claim, row.method)
