"""Trainings that stand still because units are saturated: the loss would be lower, and no gradient leads there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import ReplayError
from ...finding import Explanation, Finding, make_finding
from ...tape.algebra import DIV, is_any
from ...tape.tape import Node
from ...tape.training import LossFound
from .history import Sample
from .names import ticked
from .scene import Scene
from .tracks import Recorded, Track

FEWEST = 2  # steps, the last ones recorded, that change nothing
NOTHING = 1e-8  # of a value: a million such steps change it by a hundredth
CLOSE = 1e-4  # to 0, 1 or -1: what is left of the slope of a sigmoid or of tanh there
LARGE = 10.0  # inputs are scaled to about 1
LOWER = 0.9  # of the loss, or less: then it is no minimum that the training stands at
FITTED = 1e-6  # of the loss with smaller parameters
SMALLER = (0.1, 0.01, 0.001)


def standing_still(recorded: Recorded, tracks: Sequence[Track], scene: Scene) -> Iterator[Finding]:
    """The units at whose limits a training stands, if smaller weights or inputs would make the loss lower at once."""
    samples = scene.history.samples[-FEWEST:]
    if len(samples) < FEWEST or not all(_stands(s) for s in samples):
        return
    step = max((s.step for s in samples if s.step in recorded.losses), default=None)
    if step is None:
        return
    loss = recorded.losses[step]
    weights = [
        i for t in tracks if scene.history.trails[t.name].weights for m in t.moments if m.step == step for i in m.origins
    ]
    lower = _at_smaller(recorded, loss, weights)
    node = _saturated(recorded, [i for t in tracks for m in t.moments if m.step == step for i in m.origins], loss)
    if lower is None or node is None or node.site is None:
        return
    names = [t.name for t in tracks]
    scene.explain(names)
    why, advice = _large_inputs(recorded, node, loss) or (lower, "start with smaller weights, or take a smaller learning rate")
    text = node.site.span.text.splitlines()[0]
    yield make_finding(
        "BD313",
        f"`{text}` is at its limits for every sample: its slope there is almost 0, and nothing is learned",
        span=node.site.span,
        tensors=tuple(names),
        measured=f"its outputs are within {_distance(node):.0e} of 0, 1 or -1; {ticked(names)} stand still in "
        f"{len(samples)} recorded steps, at a {loss.name} of {loss.value:.4g}",
        explanations=(Explanation(why, "verified"),),
        help=advice,
    )


def _stands(sample: Sample) -> bool:
    """Whether a step changes next to nothing: neither the parameters nor, by their gradients, the loss."""
    gain = 0.0
    for name, after in sample.after.items():
        before, gradient = sample.before[name], sample.gradients.get(name)
        if gradient is None or not after.shape == before.shape == gradient.shape or before.dtype.kind != "f":
            return False
        change = np.abs(after - before)
        if np.max(change, initial=0.0) > NOTHING * max(float(np.max(np.abs(before), initial=0.0)), 1.0):
            return False
        gain += float(np.sum(change * np.abs(gradient)))
    return bool(sample.after) and sample.loss is not None and gain <= NOTHING * abs(sample.loss)


def _value(recorded: Recorded, loss: LossFound, replaced: Mapping[int, Any]) -> float:
    """The loss with some values replaced; infinite where that cannot be evaluated."""
    try:
        return float(loss.objective.value(lambda nodes, held: recorded.replay.evaluate(nodes, replaced, held)))
    except ReplayError:
        return float("inf")


def _is_lower(value: float, loss: LossFound) -> bool:
    return value < loss.value - (1 - LOWER) * abs(loss.value)


def _at_smaller(recorded: Recorded, loss: LossFound, weights: Sequence[int]) -> str | None:
    """What the loss falls to if all weights are made smaller, in words; None if it does not."""
    for scale in SMALLER if weights else ():
        value = _value(recorded, loss, {i: scale * recorded.replay.base(i) for i in weights})
        if _is_lower(value, loss):
            return f"with all weights at {scale:g} of what they are the {loss.name} is {value:.4g}"
    return None


def _saturated(recorded: Recorded, origins: Sequence[int], loss: LossFound) -> Node | None:
    """The first operation behind the parameters that makes nothing but values at limits, of large ones."""
    path = recorded.replay.downstream(origins) & recorded.replay.upstream(loss.objective.nodes)
    for i in sorted(path):
        node = recorded.nodes[i]
        if node.kind == "op" and _is_at_limits(node):
            inputs = (recorded.nodes[j] for j in recorded.replay.inputs(i) if j in path)
            if any(_is_large(x, node) for x in inputs):
                return whole(recorded, node, path)
    return None


def fits(recorded: Recorded, loss: LossFound) -> bool:
    """Whether a model fits its data: its loss is next to nothing of what it is with smaller parameters."""
    origins = {i for t in recorded.trainings for i in t.origins}
    small = _value(recorded, loss, {i: SMALLER[-1] * recorded.replay.base(i) for i in origins})
    return abs(loss.value) <= FITTED * abs(small) < float("inf")


def whole(recorded: Recorded, node: Node, path: Collection[int]) -> Node:
    """What a saturated operation is a part of: the last result at limits in its statement, a softmax after its division."""
    for i in sorted(j for j in path if j > node.index):
        other = recorded.nodes[i]
        if other.kind == "op" and other.site is not None and node.site is not None and _is_at_limits(other):
            same = other.site.statement is node.site.statement or is_any(other.op, DIV)
            if same and recorded.canon[node.index] in recorded.replay.inputs(i):
                node = other
    return node


def _is_at_limits(node: Node) -> bool:
    value = np.asarray(node.value)
    return value.size > 1 and value.dtype.kind == "f" and _distance(node) <= CLOSE


def _is_large(node: Node, result: Node) -> bool:
    """Whether a value has the shape of what is made of it, and large numbers in it."""
    value = np.asarray(node.value)
    return value.shape == np.shape(result.value) and value.dtype.kind == "f" and bool(np.max(np.abs(value)) > LARGE)


def _distance(node: Node) -> float:
    """How far the values are from 0, 1 or -1 at most."""
    value = np.abs(np.asarray(node.value))
    return float(np.max(np.minimum(value, np.abs(value - 1))))


def _large_inputs(recorded: Recorded, node: Node, loss: LossFound) -> tuple[str, str] | None:
    """Data that the parameters meet before the saturated units, if the loss falls once they are scaled to 1; and advice."""
    live = recorded.live
    for i in sorted(recorded.replay.upstream([node.index])):
        inputs = recorded.replay.inputs(i)
        if not any(j in live for j in inputs):
            continue
        for j in inputs:
            most = (
                float(np.max(np.abs(recorded.nodes[j].value)))
                if j not in live and np.size(recorded.nodes[j].value) > 1
                else 0.0
            )
            if most > LARGE and _is_lower(value := _value(recorded, loss, {j: recorded.replay.base(j) / most}), loss):
                called = next((b.name for b in recorded.bindings(j)), "")
                name = f"`{called}`" if called else "the data"
                why = f"{name} goes up to {most:.4g}: divided by that, it makes the {loss.name} {value:.4g}"
                return (
                    why,
                    f"scale the inputs before the training: divide {name} by {most:.4g}, or subtract its mean and "
                    "divide by its standard deviation",
                )
    return None
