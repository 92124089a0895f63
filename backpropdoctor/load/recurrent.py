"""What a loop inside a step carries along: the state of a recurrence, forward or backward, is no parameter.

It is updated by what depends on itself as well. But its variable begins anew, in one step after another, with a value that is
made of parameters before their update; a parameter goes on from its own update. So it is with a sum that begins anew at zero
and is added to a parameter in the end: a gradient that reads itself by mistake.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

from ..tape.steps import Update

if TYPE_CHECKING:
    from .updated import Updated

Found = list[tuple[Update, int]]


def without_carried(updated: Updated, found: Found) -> Found:
    """The updates without those of variables that begin anew at least twice, with what is made of others or made for one."""
    canon = updated.canon
    news = {canon[u.new] for u, _ in found}
    origins: dict[int, set[Hashable]] = defaultdict(set)
    for update, origin in found:
        origins[canon[origin]].add(updated.place(update))
    begun: dict[Hashable, list[int]] = defaultdict(list)
    for update, _ in found:
        if canon[update.old] not in news:  # what no update made
            begun[updated.place(update)].append(canon[update.old])
    carried = {place for place, nodes in begun.items() if _made_of_others(updated, place, nodes, origins, news)}
    carried |= {place for place in begun if _summed_for_another(updated, place, found)}
    carried |= _in_new_lists(updated, found, news)
    return [(u, o) for u, o in found if updated.place(u) not in carried]


def _in_new_lists(updated: Updated, found: Found, news: set[int]) -> set[Hashable]:
    """The places whose first value stands in a list that each turn makes anew, where others go on from turn to turn.

    So it is with the states of a simulation that is run once a turn: each is made of the one before it.
    """
    tape = updated.steps.tape
    outer = next(((e.site.id, e.instance) for e in tape.iterations), None)
    begun = [e.at for e in tape.iterations if (e.site.id, e.instance) == outer]
    turns: dict[str, set[int]] = defaultdict(set)  # in which something from outside stands in a list under this name
    made: set[str] = set()  # names of what is worked out: an update that makes new lists gives them its new values
    for b in tape.bindings:
        if b.how == "element" and b.node is not None:
            turns[b.name].add(bisect_right(begun, b.at))
            made |= {b.name} if updated.nodes[b.node].kind != "leaf" else set()
    anew: dict[Hashable, bool] = {}
    for place in dict.fromkeys(updated.place(u) for u, _ in found):
        first = place[1] if isinstance(place, tuple) and place[0] == "buffer" else None
        names = updated.replay.index.names.get(first, ()) if isinstance(first, int) else ()
        anew[place] = any(b.how == "element" and b.name not in made and len(turns[b.name]) > 1 for b in names)
    goes_on = any(not anew[updated.place(u)] and updated.canon[u.old] in news for u, _ in found)
    return {place for place, is_new in anew.items() if is_new} if goes_on else set()


def _summed_for_another(updated: Updated, place: Hashable, found: Found) -> bool:
    """Whether a variable begins anew, every time, with zeros, and another one changes by a multiple of what it becomes."""
    if not {updated.canon[u.new] for u, _ in found if updated.place(u) == place} <= updated.steps.begun_anew:
        return False
    made = {updated.canon[u.new] for u in updated.steps.updates if updated.place(u) == place}
    steps = (u for u in updated.steps.updates if u.self_factor == 1.0 and updated.canon[u.new] not in made)
    algebra = updated.steps.algebra
    return any(updated.canon[algebra.all_scalings(t.node)[-1].node] in made for u in steps for t in u.terms)


def _made_of_others(
    updated: Updated, place: Hashable, nodes: Sequence[int], origins: dict[int, set[Hashable]], news: set[int]
) -> bool:
    """Whether a variable begins anew, every time, with what is made of other parameters before their update."""
    distinct = list(dict.fromkeys(nodes))
    if len(distinct) < 2:
        return False
    for i in distinct:
        above = updated.replay.upstream([i], barrier=news) - {i} - news
        if not any(origins.get(j, set()) - {place} for j in above):
            return False
    return True
