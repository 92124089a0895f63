"""Where no gradient fits any loss, what the backward pass begins with tells a loss that is not called one.

A backward pass begins with what it makes first of the forward pass. Where that is exactly the adjoint of a forward value
under a scalar of the script, the pass was written for that scalar, and what goes wrong goes wrong behind it. A multiple is
no such evidence: the difference of output and target is one under any squared error that is only looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..tape.adjoint import Claim, Tensor, squeezed
from ..tape.algebra import Algebra, Term
from ..tape.training import LossFound, Training

_MOST = 12  # first values of the backward pass, and forward values for each of them, that are looked at


def begins_with(training: Training, loss: LossFound) -> bool:
    """Whether a value that the backward pass makes first is the adjoint of a forward value under this loss, factor and all."""
    for i in _first(training, loss):
        for target in _targets(training, loss, i):
            ratio = training.adjoints.ratio(Claim(Tensor("", (target,)), ((Term(1.0, i),),)), loss.objective, crude=True)
            if ratio is not None and ratio.right and not ratio.zero:
                return True
    return False


def _first(training: Training, loss: LossFound) -> Iterator[int]:
    """What gradients are made of and the loss is not, made of nothing else of that kind, and multiples of it."""
    replay = training.replay
    starts = training.origins
    gradients = {replay.canonical[i] for h in training.parameters for i in h.claim.gradient_nodes}
    live = replay.downstream(starts)
    outside = replay.upstream(gradients, barrier=starts | loss.nodes) - loss.nodes - gradients
    moving = outside & live
    firsts: set[int] = set()
    algebra = Algebra(replay)
    for i in sorted(moving):
        split = algebra.scalar_split(i)
        made_of = [j for j in replay.inputs(i) if j in moving]
        if not made_of or (split is not None and made_of == [replay.canonical[split[1].index]] and firsts.issuperset(made_of)):
            firsts.add(i)
    yield from [i for i in sorted(firsts) if np.size(replay.base(i)) > 1][:_MOST]


def _targets(training: Training, loss: LossFound, first: int) -> list[int]:
    """The forward values of the shape of `first` that it is made of, the last one first."""
    replay = training.replay
    starts = training.origins
    behind = replay.upstream([first], barrier=starts) & loss.nodes & replay.downstream(starts)
    shape = squeezed(np.shape(replay.base(first)))
    return [i for i in sorted(behind - starts, reverse=True) if squeezed(np.shape(replay.base(i))) == shape][:_MOST]
