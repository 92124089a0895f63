"""Whether the factor that all gradients share with their loss is one: it has to be the same in another step of the same form.

A convention (the sum where the loss is a mean, a half that is left out) does not depend on the values; a derivative that
lacks a factor does, though in a step with one sample nothing but the scale shows it.
"""

from __future__ import annotations

import numpy as np

from ..tape.adjoint import SAME
from ..tape.training import Training
from .gradients import Check


def is_scaled(check: Check) -> bool:
    """Whether all parallel gradients share a factor other than 1."""
    return abs(check.uniform - 1) > 10 * SAME


def alike(one: Training, other: Training) -> bool:
    """Whether two steps do the same with other values: on as much data, with as many operations."""
    if one.loss is None or other.loss is None or (one.loss.name, one.loss.source) != (other.loss.name, other.loss.source):
        return False
    names = [[h.tensor.name for h in t.parameters] for t in (one, other)]
    return names[0] == names[1] and _form(one) == _form(other)


def _form(training: Training) -> list[tuple[int | None, tuple[int, ...]]]:
    """Where the values of the forward and the backward pass were made, and their shapes."""
    assert training.loss is not None
    nodes = training.replay.tape.nodes
    origins = training.origins
    gradients = [i for h in training.parameters for i in h.claim.gradient_nodes]
    made = training.replay.upstream([*gradients, *training.loss.objective.nodes], barrier=origins)
    made &= training.replay.downstream(origins)
    return sorted((nodes[i].site.id if nodes[i].site else -1, np.shape(nodes[i].value)) for i in made)  # type: ignore[union-attr]


def same_scale(check: Check, other: Check) -> bool:
    """Whether the factor is the same in both steps, as far as both have one."""
    parallel = [m for m in other.measured if m.ratio and m.ratio.value and not m.ratio.zero]
    return not parallel or abs(check.uniform - other.uniform) <= 100 * SAME * max(abs(check.uniform), abs(other.uniform))
