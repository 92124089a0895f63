"""The error at the output: what the backward pass makes of it tells which of two losses, each fitted by some, is meant.

A backward pass that multiplies the error by the derivative of the output, and one that does not, belong to different
losses. Where a gradient takes the wrong one of the two values, each loss fits some gradients; under the loss that is
meant both values are adjoints, of the output and of what it is computed from.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..tape.adjoint import Claim, Tensor
from ..tape.algebra import Term
from ..tape.training import LossFound, Training
from .losses import Output

_MOST = 40  # values of either side that are looked at for one output


def meant_among(training: Training, losses: Sequence[LossFound], outputs: Sequence[Output]) -> list[LossFound]:
    """Those of the losses at the same outputs under which most of what is made of the error is an adjoint."""
    if len(losses) < 2:
        return list(losses)
    made = made_of_errors(training, outputs)
    counts = [sum(_right(training, loss, o, mine) for o, mine in zip(outputs, made, strict=True)) for loss in losses]
    return [loss for loss, count in zip(losses, counts, strict=True) if count == max(counts)]


def _right(training: Training, loss: LossFound, output: Output, made: Sequence[int]) -> int:
    """How many values made of the error at an output are adjoints of the output or of what it is made of."""
    targets = before(training, output)
    found = 0
    for i in made:
        claims = (Claim(Tensor("", (t,)), ((Term(1.0, i),),)) for t in targets)
        ratios = (training.adjoints.ratio(c, loss.objective, crude=True) for c in claims)
        found += any(r is not None and bool(r.value) and not r.zero for r in ratios)
    return found


def made_of_errors(training: Training, outputs: Sequence[Output]) -> list[list[int]]:
    """For each output what gradients are made of, has its size, and is made of the error there and of no other one."""
    replay = training.replay
    gradients = {replay.canonical[i] for h in training.parameters for i in h.claim.gradient_nodes}
    made_of: dict[int, set[int]] = {}
    for i in sorted(replay.upstream(gradients, barrier=training.origins) - gradients):
        inputs = set(replay.inputs(i))
        size = np.size(replay.base(i))
        for k, output in enumerate(outputs):
            first = output.node in inputs and bool(inputs.intersection(output.sources))
            if size == np.size(output.target) and (first or any(k in made_of.get(j, ()) for j in inputs)):
                made_of.setdefault(i, set()).add(k)
    return [[i for i, of in made_of.items() if of == {k}][:_MOST] for k in range(len(outputs))]


def before(training: Training, output: Output) -> list[int]:
    """The output, and what of its size it is computed from, down to the last parameter."""
    replay = training.replay
    starts = training.origins
    live = replay.downstream(starts) - starts
    found, stack = {output.node}, [output.node]
    while stack and len(found) < _MOST:
        for i in replay.inputs(stack.pop()):
            if i in live and i not in found and np.size(replay.base(i)) == np.size(output.target):
                found.add(i)
                stack.append(i)
    return sorted(found)
