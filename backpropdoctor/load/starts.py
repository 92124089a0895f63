"""Where the training step of each update began: at a turn of a loop, or at a call that is made again."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING

from ..tape.steps import Update
from ..tape.tape import Iteration, Scope, Tape

if TYPE_CHECKING:
    from .updated import Updated


def starts_of(updated: Updated) -> dict[int, int]:
    """For each update (by its new node) the node at which its training step began.

    That is the last round of the outermost loop that turned between this update of the place and the one before, and
    is not over: a loop over the parameters ends with its step, and begins again in the next one. Where none turned, it
    is the call that a comprehension made again.
    """
    tape = updated.steps.tape
    last: dict[Hashable, int] = {}
    starts: dict[int, int] = {}
    opened: dict[tuple[int, int], int] = {}
    over: dict[tuple[int, int], int] = {}  # where the same loop began once more
    running: dict[int, int] = {}
    for e in tape.iterations:
        if (e.site.id, e.instance) not in opened and e.site.id in running:
            over[e.site.id, running[e.site.id]] = e.at
        opened.setdefault((e.site.id, e.instance), e.at)
        running[e.site.id] = e.instance
    for update in updated.steps.updates:
        place = updated.place(update)
        previous = update.old if update.old in starts else last.get(place, _bound_before(updated, update))
        start = 0
        if previous is not None:
            turned = [
                (opened[e.site.id, e.instance], -e.at)
                for e in _between(tape, previous, update.new)
                if opened[e.site.id, e.instance] <= previous and over.get((e.site.id, e.instance), update.new) >= update.new
            ]
            before = starts.get(previous, 0)
            start = -min(turned)[1] if turned else max(before, _called_again(tape, previous, update.new))
        starts[update.new] = start
        last[place] = update.new
    return starts


def _bound_before(updated: Updated, update: Update) -> int | None:
    """The value that an update changes, where it was computed for the same variable: from a number, in the first step."""
    names = updated.replay.index.names.get(update.old, ())
    own = update.binding is not None and any(b.place == update.binding.place for b in names)
    return update.old if own and updated.nodes[update.old].kind == "op" else None


def _called_again(tape: Tape, first: int, second: int) -> int:
    """Where the outermost call began that was made for the second of two values, and before for the first; else 0."""
    before = {(s.parent, s.call.id): s for s in _activations(tape, first) if s.call is not None}
    for scope in reversed(list(_activations(tape, second))):
        if scope.call is not None and before.get((scope.parent, scope.call.id), scope) is not scope:
            return scope.at
    return 0


def _activations(tape: Tape, node: int) -> Iterator[Scope]:
    """The function calls that a value was made in, the innermost first."""
    scope = tape.scopes.get(tape.nodes[node].scope)
    while scope is not None:
        yield scope
        scope = tape.scopes.get(scope.parent) if scope.parent is not None else None


def _between(tape: Tape, first: int, second: int) -> list[Iteration]:
    low = bisect_right(tape.iterations, first, key=lambda e: e.at)
    return tape.iterations[low : bisect_right(tape.iterations, second, key=lambda e: e.at)]
