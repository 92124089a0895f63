"""Several losses at once: heads of one network, each with a loss of its own, trained by the gradients of their sum.

Where two scalars of the script each fit gradients of parameters that the other one does not depend on, or what the backward
pass begins with, neither is the loss alone. It is what the script makes of both; where that is nothing, their sum, each as
large as the gradients have it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from itertools import islice, product

from ..tape.replay import Objective
from ..tape.training import LossFound, Training
from .begins import begins_with
from .penalties import scaled_loss

Score = Callable[[Training, LossFound], tuple[int, int, int]]

_MOST = 16  # choices of weights that are measured


def joint_loss(training: Training, losses: Sequence[LossFound], score: Score) -> LossFound | None:
    """What the script makes of losses that each fit gradients of their own, or the sum of these; None where they are not two.

    `score` says how well the gradients of a step fit a loss.
    """
    parts = _parts(training, losses)
    if len(parts) < 2:
        return None
    ends = {i for loss, _ in parts for i in loss.objective.nodes}
    whole = [loss for loss in losses if ends <= loss.nodes and not ends.issuperset(loss.objective.nodes)]
    sums = [_sum([loss for loss, _ in parts], weights) for weights in islice(product(*(w for _, w in parts)), _MOST)]
    return max(whole or sums, key=lambda loss: score(training, loss))


def _parts(training: Training, losses: Sequence[LossFound]) -> list[tuple[LossFound, list[float]]]:
    """The losses with gradients of their own, and the weights that these give each of them; 1 is always one."""
    reached = [_moved_by(training, loss) for loss in losses]
    parts: list[tuple[LossFound, list[float]]] = []
    taken: list[set[int]] = []
    for loss, mine in zip(losses, reached, strict=True):
        others = [theirs for theirs in reached if mine - theirs and theirs - mine]
        if others and all(theirs in others for theirs in taken):
            weights = list(_weights(training, loss, set().union(*(mine - theirs for theirs in others))))
            if weights or begins_with(training, loss):
                parts.append((loss, list(dict.fromkeys([1.0, *weights]))))
                taken.append(mine)
    return parts


def _moved_by(training: Training, loss: LossFound) -> set[int]:
    """The parameters, by their numbers, that a loss depends on by a way that it does not hold still."""
    replay = training.replay
    ways = replay.upstream(loss.objective.nodes, barrier=training.origins | loss.objective.held) & loss.nodes
    tensors = enumerate(held.tensor.nodes for held in training.parameters)
    return {k for k, nodes in tensors if not ways.isdisjoint(replay.canonical[i] for i in nodes)}


def _weights(training: Training, loss: LossFound, own: set[int]) -> Iterator[float]:
    """What the gradients of some parameters are of those of a loss, where they are multiples of them."""
    for k in sorted(own):
        ratio = training.adjoints.ratio(training.parameters[k].claim, loss.objective)
        if ratio is not None and ratio.value is not None and ratio.value > 0 and not ratio.zero:
            yield 1.0 if ratio.right else ratio.value


def _sum(losses: Sequence[LossFound], weights: Sequence[float]) -> LossFound:
    """The weighted sum of losses."""
    parts = [scaled_loss(loss, weight) for loss, weight in zip(losses, weights, strict=True)]
    words = (loss.name if w == 1 else f"{w:.6g} * {loss.name}" for loss, w in zip(losses, weights, strict=True))
    return replace(
        losses[0],
        objective=reduce(Objective.plus, (part.objective for part in parts)),
        name=" + ".join(words),
        value=sum(w * loss.value for loss, w in zip(losses, weights, strict=True)),
        nodes=frozenset().union(*(loss.nodes for loss in losses)),
        held_still=tuple(dict.fromkeys(said for loss in losses for said in loss.held_still)),
    )
