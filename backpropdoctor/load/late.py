"""Updates by a gradient that was taken at the end of the turn before: `x = x - lr * g; g = grad(x)`.

Line searches, conjugate gradients and quasi-Newton methods look at the new point first and step from there in the next turn.
Such an update is made of the value it changes by way of the turn before. So is the state of an optimiser, and a search
direction: these are what the update of another value is a multiple of, or begin anew with what is made of that value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..tape.steps import Update
from .recurrent import Found
from .states import is_elementwise

if TYPE_CHECKING:
    from .updated import Updated


def with_late(updated: Updated, found: Found) -> Found:
    """The updates by late gradients, where all that were `found` are search directions of these; else what was found."""
    places = {updated.place(u) for u, _ in found}
    late = [u for u in updated.steps.updates if updated.place(u) not in places and _is_late(updated, u)]
    late = _without_states(updated, late, [u for u, _ in found])
    if not late or not _are_directions(updated, found, late):
        return found
    for update in late:
        updated.starts[update.new] = updated.canon[update.old] + 1
    return [(u, u.old) for u in late]


def _is_late(updated: Updated, update: Update) -> bool:
    """Whether an update is made of the version that it changes, whatever turn that was in; a sum from zero is none."""
    node = updated.nodes[update.old]
    if update.self_factor != 1.0 or np.asarray(node.value).dtype.kind != "f" or updated.steps.is_accumulator(update):
        return False
    terms = [t.node for t in update.terms if t.node > update.old]
    return bool(updated.made_of(terms, update.old, [update.old]))


def _without_states(updated: Updated, late: Sequence[Update], others: Sequence[Update]) -> list[Update]:
    """The updates without those of places that the step of another one is a multiple of, or is made of by its elements."""
    made = {updated.canon[i]: updated.place(u) for u in late for i in (u.old, u.new)}
    states = set()
    for update in (*late, *others):
        for term in update.terms:
            node = updated.canon[updated.steps.algebra.all_scalings(term.node)[-1].node]
            found = _elementwise(updated, node) if update in late else {node}
            states |= {made[i] for i in found if i in made} - {updated.place(update)}
    return [u for u in late if updated.place(u) not in states]


def _elementwise(updated: Updated, node: int) -> set[int]:
    """A value and what it is made of by operations on its elements."""
    found, stack = {node}, [node]
    while stack:
        i = stack.pop()
        if is_elementwise(updated.nodes[i]):
            fresh = set(updated.replay.inputs(i)) - found
            found |= fresh
            stack += fresh
    return found


def _are_directions(updated: Updated, found: Found, late: Sequence[Update]) -> bool:
    """Whether each value is made of itself only through late updates, or begins anew with what is made of their values."""
    places = {updated.place(u) for u in late}
    follow = [u for u in updated.steps.updates if updated.place(u) in places]
    news = {updated.canon[u.new] for u in follow}
    values = news | {updated.canon[u.old] for u in follow}
    directions: set[int] = set()
    for update, origin in found:
        start, first = updated.starts[update.new], updated.canon[origin]
        terms = [t.node for t in update.terms if t.node >= start]
        anew = updated.replay.upstream([origin], barrier=values) & values
        if first not in directions and not anew and first in updated.replay.upstream(terms, barrier=news):
            return False
        directions.add(updated.canon[update.new])
    return True
