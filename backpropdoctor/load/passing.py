"""What is updated by what depends on itself, as a parameter is, and is none: it only passes through a step.

The state of a simulation begins anew in each step; a residual block adds to its input; an average of weights and the velocity
of a look-ahead follow a parameter.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from ..tape.numbering import reads_shape_only
from ..tape.steps import Update
from .recurrent import Found

if TYPE_CHECKING:
    from .updated import Updated


def without_restarted(updated: Updated, found: Found) -> Found:
    """The updates without those of a state that every step begins anew from one value, on its way to a parameter.

    The state of a simulation, or of a recurrence, is updated by what depends on itself too.
    """
    begun: dict[int, set[int]] = {}
    for update, _ in found:
        begun.setdefault(updated.canon[update.old], set()).add(updated.canon[update.new])
    carried = [u for u, _ in found if len(begun.get(updated.canon[u.new], ())) == 1]
    again = {old for old, news in begun.items() if len(news) > 1}
    others = [u for u in carried if updated.canon[u.old] not in again]
    dropped: set[int] = set()
    ways: set[tuple[int, Hashable]] = set()  # what leads to a step in one turn does in the last one, before its step
    for update, _ in found:
        old, new = updated.canon[update.old], updated.canon[update.new]
        way = (old, update.site.id if update.site else None)
        if old in dropped or (old in again and (way in ways or any(_leads_to(updated, new, u) for u in others))):
            dropped.add(new)
            ways.add(way)
    return [(u, o) for u, o in found if updated.canon[u.new] not in dropped]


def _leads_to(updated: Updated, value: int, update: Update) -> bool:
    """Whether a step of another place is made of a value."""
    goals = [t.node for t in update.terms]
    return value < update.new and value in updated.replay.upstream(goals, barrier={updated.canon[update.old]})


def without_states(updated: Updated, found: Found) -> Found:
    """The updates without those of averages of parameters and of velocities that a look-ahead takes the gradient at.

    Where the new value of one place is a term in the update of another, either the other is their average (the
    weights add up to 1), or the one is a velocity of the other.
    """
    makers = {updated.canon[u.new]: u for u, _ in found}
    dropped: set[Hashable] = set()
    for update, _ in found:
        for term in update.terms:
            scaling = updated.steps.algebra.all_scalings(term.node)[-1]
            source = makers.get(_written(updated, scaling.node))
            if source is None or updated.place(source) == updated.place(update):
                continue
            share = term.factor * scaling.product
            averaged = 0 < share < 1 and abs(update.self_factor + share - 1) < 1e-9
            if not averaged and not _looks_ahead(updated, source.old, update.old):
                continue  # a parameter, taken for the gradient of another
            dropped.add(updated.place(update if averaged else source))
            if averaged:
                updated.averages.add(updated.canon[update.new])
    return [(u, o) for u, o in found if updated.place(u) not in dropped]


def _looks_ahead(updated: Updated, velocity: int, value: int) -> bool:
    """Whether a value is read only with multiples of a velocity added: the gradient is taken where it will be."""
    consumers, stack = updated.replay.consumers, [updated.canon[velocity]]
    seen: set[int] = set()
    while stack:
        i = stack.pop()
        if updated.canon[value] in updated.replay.inputs(i):
            return True
        scaled = (j for j in consumers.get(i, ()) if updated.steps.algebra.scalar_split(j) is not None)
        added = (j for j in consumers.get(i, ()) if updated.canon[value] in updated.replay.inputs(j))
        fresh = {*scaled, *added} - seen
        seen |= fresh
        stack += fresh
    return False


def _written(updated: Updated, i: int) -> int:
    """The version of a buffer that a node looks at."""
    while updated.nodes[i].kind == "view":
        i = next(iter(updated.nodes[i].inputs()))
    return updated.canon[i]


def without_between(updated: Updated, found: Found) -> Found:
    """The updates without those of values that the forward or backward pass adds to on its way."""
    origins = {o for _, o in found}
    news = {u.new for u, _ in found}
    rejected: set[int] = set()
    kept = []
    # of the last update at a site: what a simulation before the training showed is no more
    fate: dict[int | None, bool] = {}
    for update, origin in found:
        site = update.site.id if update.site else None
        if update.old in news and update.old not in rejected and origin not in rejected:
            kept.append((update, origin))  # goes on from an update that was kept
        elif _is_between(updated, origin, updated.starts[update.new], origins, rejected, news):
            rejected |= {update.new, origin}
            fate[site] = False
            continue
        else:
            kept.append((update, origin))
        fate[site] = True
    return [(u, o) for u, o in kept if fate[u.site.id if u.site else None]]


def _is_between(updated: Updated, origin: int, start: int, origins: set[int], rejected: set[int], news: set[int]) -> bool:
    """Whether a value is made of parameters in its own step: what a residual block adds to, not a parameter."""
    if origin in rejected:
        return True
    seen, stack = {origin}, [origin]
    copies = origin
    while updated.is_copy(copies):
        copies = next(iter(updated.nodes[copies].inputs()))
    if copies in origins and copies != origin:
        return False
    while stack:
        i = stack.pop()
        if i != origin and (i in origins or i in news) and i not in rejected:
            return True
        if i < start or i in news and i not in rejected or reads_shape_only(updated.nodes[i]):
            continue
        for j in updated.nodes[i].inputs():
            if j not in seen:
                seen.add(j)
                stack.append(j)
    return False
