"""A backward pass that carries nothing: the first cotangent that is exactly zero, where all that is made of it is.

Where the loss moves with every parameter and all gradients are exactly zero, the statement that made the first zero of what
is not zero is the root, and all zeros behind it are its consequence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..checks.gradients import Measured
from ..tape.buffers import Augment
from ..tape.numbering import reads_shape_only
from ..tape.tape import Site

if TYPE_CHECKING:
    from .blame import Blame, Root


def zero_root(blame: Blame, wrong: Sequence[Measured]) -> Root | None:
    """The root of gradients that are all exactly zero; None where one is not, or they have no zero in common."""
    canonical = blame.replay.canonical
    ends = [{canonical[g] for g in m.held.claim.gradient_nodes} for m in wrong]
    if len(wrong) < 2 or any(_is_alive(blame, i) for nodes in ends for i in nodes):
        return None
    above = [blame.replay.upstream(nodes, barrier=blame.cotangents.origins) for nodes in ends]
    begin = max((min(m.held.tensor.nodes) for m in wrong), default=0)
    common = set.intersection(*above) - {i for i in blame.cotangents.forward | blame.cotangents.loss.nodes if i > begin}
    dead = (j for i in common if _goes_out(blame, i) for j in blame.cotangents.equals(i))
    first = min((j for j in dead if j > begin), default=None)  # what does not depend on the parameters is made in each step
    if first is None:
        return None
    root = blame.make_root(first, None)
    root.site, root.ratio = _given_twice(blame, first) or root.site, None
    root.instances = [first]
    root.affects = [m.held.tensor.name for m in wrong]
    return root


def _is_alive(blame: Blame, i: int) -> bool:
    return bool(np.any(blame.nodes[i].value))


def _goes_out(blame: Blame, i: int) -> bool:
    """Whether a value is zero and made by an operation on values that are not, or on the zeros that another sum begins with."""
    node = blame.nodes[i]
    made_of = [j for j in node.inputs() if np.size(blame.nodes[j].value) > 1]
    is_zero = node.kind == "op" and node.site is not None and np.size(node.value) > 1 and not _is_alive(blame, i)
    if not is_zero or not made_of or _begins_sum(blame, i):
        return False
    return all(_is_alive(blame, j) or _begins_sum(blame, j) for j in made_of)


def _begins_sum(blame: Blame, i: int) -> bool:
    """Whether a value is a fresh one that is added to in place: it carries nothing."""
    i = blame.replay.canonical[i]
    if not reads_shape_only(blame.nodes[i]):
        return False
    readers = (blame.nodes[j] for j in blame.replay.consumers.get(i, ()))
    return any(isinstance(n.op, Augment) and blame.replay.canonical[n.args[0].index] == i for n in readers)


def _given_twice(blame: Blame, i: int) -> Site | None:
    """The call that gave one value two names, where a function takes one from the other."""
    node = blame.nodes[i]
    inputs = [blame.replay.canonical[j] for j in node.inputs()]
    scope = blame.replay.tape.scopes.get(node.scope)
    if len(inputs) != 2 or inputs[0] != inputs[1] or scope is None:
        return None
    given = {b.name for b in blame.cotangents.names(inputs[0]) if b.how == "argument" and b.scope == node.scope}
    return scope.call if len(given) > 1 else None
