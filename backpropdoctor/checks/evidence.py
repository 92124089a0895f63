"""Whether a loss is one that a backward pass belongs to: nothing is accused under another."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..tape.training import LossFound
from .cotangents import Cotangents
from .gradients import Check, Measured


def doubtful(check: Check) -> list[Measured]:
    """The wrong gradients of which neither they nor what they are made of belong to the loss.

    A loss is right for a backward pass where some value of it is the adjoint of something. Under a standard loss that the
    script does not compute each wrong gradient itself must be made of such a value.
    """
    loss = check.training.loss
    assert loss is not None
    fits = any(m.ratio is not None and m.ratio.value and not m.ratio.zero for m in check.measured)
    if not check.wrong or loss.source == "declared" or loss.sure or (fits and loss.source != "implied"):
        return []
    cotangents = Cotangents(check.training, check.uniform)
    replay = check.training.replay
    held = {i for i, pair in cotangents.paired.items() if pair.target not in cotangents.origins}

    def is_doubtful(m: Measured) -> bool:
        above = replay.upstream(m.held.claim.gradient_nodes, barrier=cotangents.origins)
        return (loss.source == "implied" and not above & held) or not (held or fits)

    return [m for m in check.wrong if is_doubtful(m)]


def of_another_loss(check: Check) -> list[Measured]:
    """The wrong gradients that share cotangents with those of parameters that the loss does not depend on at all.

    These belong to another loss, which the script may not compute: of what is made of both, this one says only a part.
    """
    loss = check.training.loss
    assert loss is not None
    replay, origins = check.training.replay, check.training.origins

    def made_of(m: Measured) -> set[int]:
        behind = replay.upstream(m.held.claim.gradient_nodes, barrier=origins | loss.nodes)
        return (behind & replay.downstream(origins)) - loss.nodes

    strange = [m for m in check.measured if loss.nodes.isdisjoint(replay.canonical[i] for i in m.held.tensor.nodes)]
    foreign = set().union(*(made_of(m) for m in strange if np.any(replay.base(m.held.node))))
    return [m for m in check.wrong if not foreign.isdisjoint(made_of(m))] if foreign else []


def has_noise(check: Check) -> bool:
    """Whether a wrong gradient holds a random draw that the loss knows nothing of: noise that is meant, and no fault."""
    loss = check.training.loss
    assert loss is not None
    replay = check.training.replay
    origins = check.training.origins
    behind = replay.upstream([i for m in check.wrong for i in m.held.claim.gradient_nodes], barrier=origins)
    return any(replay.tape.nodes[i].kind == "random" and i not in loss.nodes for i in behind)


def leave_undecided(check: Check, doubted: Iterable[Measured]) -> None:
    """Say of doubtful gradients that they are neither right nor wrong."""
    loss = check.training.loss
    assert loss is not None
    for m in doubted:
        m.verdict, m.reason = "undecided", f"nothing it is made of belongs to the {loss.name}, which may not be its loss"


def leave_shared(check: Check, shared: Iterable[Measured]) -> None:
    """Say of gradients that are made of cotangents of another loss too that this one cannot tell."""
    loss = check.training.loss
    assert loss is not None
    for m in shared:
        m.verdict, m.reason = "undecided", f"it is made of gradients that do not belong to {loss.name}: those of another loss"


def leave_unsettled(check: Check, own: LossFound) -> None:
    """Say of gradients that are those of a standard loss and not of the script's own that it is open which one is meant."""
    loss = check.training.loss
    assert loss is not None
    where = f" at line {own.site.span.line}" if own.site is not None else ""
    for m in check.measured:
        m.verdict, m.reason = "undecided", f"it is the gradient of {loss.name}, and not of `{own.name}`{where}"
