"""Parameters that are updated, and that the forward pass forgets: a bias that is never added."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from ...finding import Explanation, Finding, make_finding
from ...tape.steps import Update
from ...tape.tape import Binding
from .names import fit, is_gradient_name, last_word
from .tracks import Recorded

FEWEST = 2  # updates in a row


def forgotten(recorded: Recorded) -> Iterator[Finding]:
    """Values that steps change by what the code calls their gradient, and that lead to no loss and no other step."""
    losses = [loss for loss in recorded.losses.values() if loss.source != "implied"]
    if not losses:
        return
    goals = recorded.replay.upstream(i for loss in losses for i in loss.objective.nodes)
    for root, updates in _chains(recorded):
        names = _names(recorded, root, updates[0])
        gradients = [_gradient(recorded, u, names) for u in updates]
        if len(updates) < FEWEST or not all(gradients) or _leads_on(recorded, root, updates, goals):
            continue
        name, called = next(g for g in gradients if g is not None)
        yield make_finding(
            "BD315",
            f"the {losses[0].name} does not depend on `{name}`, which `{called}` updates",
            span=updates[0].site.statement_span if updates[0].site else None,
            tensors=(name,),
            measured=f"no operation leads from `{name}` to the {losses[0].name} in {len(updates)} recorded updates",
            explanations=(Explanation("the forward pass does not read it", "verified"),),
            help=f"use `{name}` in the forward pass, or drop it",
        )


def _chains(recorded: Recorded) -> Iterator[tuple[int, list[Update]]]:
    """The updates that follow one another from a value that nothing updated, where none of the parameters is that value."""
    canon = recorded.canon
    known = {canon[i] for t in recorded.trainings for i in t.origins}
    chains: dict[int, tuple[int, list[Update]]] = {}
    for update in recorded.steps.updates:
        root, before = chains.pop(canon[update.old], (update.old, []))
        chains[canon[update.new]] = root, [*before, update]
    yield from ((root, updates) for root, updates in chains.values() if canon[root] not in known)


def _names(recorded: Recorded, root: int, update: Update) -> list[Binding]:
    found = [*recorded.bindings(root), *([update.binding] if update.binding else [])]
    return [b for b in found if not is_gradient_name(last_word(b.parts))]


def _gradient(recorded: Recorded, update: Update, names: Sequence[Binding]) -> tuple[str, str] | None:
    """The name of what a step goes down along, if that is the gradient's of one of the names, with that one."""
    if update.self_factor != 1.0 or len(update.terms) != 1:
        return None
    scaling = recorded.steps.algebra.all_scalings(update.terms[0].node)[-1]
    value = np.asarray(recorded.nodes[scaling.node].value)
    down = update.terms[0].factor * scaling.product < 0 and recorded.canon[scaling.node] in recorded.live
    for b in names if down and value.any() else ():
        for g in recorded.bindings(scaling.node):
            if is_gradient_name(last_word(g.parts)) and fit(g.parts, b.parts):
                return b.name, g.name
    return None


def _leads_on(recorded: Recorded, root: int, updates: Sequence[Update], goals: Collection[int]) -> bool:
    """Whether anything made of a value, but its own updates, is a loss or goes into another update."""
    own = {recorded.canon[u.new] for u in updates}
    below = recorded.replay.downstream([root, *(u.new for u in updates)])
    return bool(below & set(goals)) or bool((below & recorded.steps.by_new.keys()) - own)
