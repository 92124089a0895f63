"""A training step under edits, worked out as far as it is asked for: edited statements run again, what follows is replayed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ...tape.operation import prepared
from ...tape.replay import run_node
from ...tape.tape import Ref
from .capture import Moment
from .edited import Edited, Misfit, run_edited
from .renamed import Renamed
from .world import nodes_in

if TYPE_CHECKING:
    from .values import Values

RUN = 15  # the work of a statement run again, in operations

Made = dict[int, tuple[Moment, Edited]]


class Evaluation:
    """The values of a step under some edits. Raw node indices are used throughout: equal values keep apart."""

    def __init__(self, values: Values, edits: Sequence[Edited], made: Made, others: list[Renamed]) -> None:
        self.values = values
        self.replay, self.nodes = values.replay, values.nodes
        self.made, self.others = made, others
        self.seen: dict[int, Any] = {}
        self._failed: dict[int, str] = {}
        self._current = -1
        starts = tuple(sorted(set(made) | {i for r in others for i in r.readers}))
        self.below = values.downstream(starts)
        # what an edit that gives nodes or names for others reads cannot be told: all is worked out
        whole = bool(others) or any(e.redirect for e in edits)
        self._key = None if whole else (starts, tuple((e.place, e.names) for e in edits))

    # ---- how far -----------------------------------------------------------------------------------------------------

    def reach(self, targets: Sequence[int] | None = None) -> None:
        """Work out the values of some nodes, of all where none are given."""
        with np.errstate(all="ignore"):
            for i in self.below if targets is None or self._key is None else self._plan(tuple(targets)):
                if i not in self.seen and i not in self._failed:
                    self._work_out(i)
        self._current = -1

    def _plan(self, targets: tuple[int, ...]) -> list[int]:
        """What some values depend on that the edits change, in order."""
        plans = self.values.plans
        key = (self._key, targets)
        if key not in plans:
            wanted: set[int] = set()
            stack = list(targets)
            inside = set(self.below)
            while stack:
                i = stack.pop()
                if i in inside and i not in wanted:
                    wanted.add(i)
                    stack += self._reads(i)
            plans[key] = sorted(wanted)
        return plans[key]

    def _reads(self, i: int) -> Iterable[int]:
        """The nodes that a value is made of under the edits."""
        if i not in self.made:
            return self.nodes[i].inputs()
        moment, edited = self.made[i]
        return seen_by(self.values.scenery, moment, edited)

    def _work_out(self, i: int) -> None:
        self._current = i
        self.values.effort += self.values.work(i)
        try:
            if i not in self.made:
                self.seen[i] = self._replayed(i)
                return
            moment, edited = self.made[i]
            self.values.effort += RUN
            values = run_edited(edited, moment, self.value_at)
        except Exception as error:
            self._failed[i] = str(error)
            return
        for (_, node), value in zip(moment.outs, values, strict=True):
            if node >= moment.at:
                self.seen[node] = value

    def _replayed(self, i: int) -> Any:
        operations = self.values.operations
        if i not in operations:
            operations[i] = prepared(self.nodes[i], range(len(self.nodes)))
        ready = operations[i]
        if ready is None or self.others:
            return run_node(self.nodes[i], self._value_of, self.replay.lifted)
        for source in ready.sources:
            if source in self._failed:
                raise Misfit(self._failed[source])
        return ready.run(self.seen, self.replay.base)

    # ---- what is there -----------------------------------------------------------------------------------------------

    def value_at(self, index: int) -> Any:
        """A value as what is worked out now reads it. Raises Misfit."""
        for other in reversed(self.others):  # the name that it got last
            if other.node == index and self._current in other.readers:
                return self.renamed(other)
        return self._as_it_is(index)

    def _value_of(self, ref: Ref) -> Any:
        return self.value_at(ref.index)

    def _as_it_is(self, index: int) -> Any:
        if index in self._failed:
            raise Misfit(self._failed[index])
        return self.seen[index] if index in self.seen else self.replay.base(index)

    def renamed(self, other: Renamed) -> Any:
        """Values given another name, in the order in which they ran: each may read what the one before it made."""
        for r in self.others:
            if r.moment.at >= other.moment.at:
                break
            if not r.done and r is not other:
                with contextlib.suppress(Misfit):
                    self._one_renamed(r)
        return self._one_renamed(other)

    def _one_renamed(self, other: Renamed) -> Any:
        if other.done:
            return other.made
        before = (r for r in self.others if r.moment.at < other.moment.at and r.done)
        earlier = {r.node: r for r in before if r.is_read_by(other.edited)}
        return other.value(lambda i: earlier[i].made if i in earlier else self._as_it_is(i))


def seen_by(known: dict[tuple[int, tuple[str, ...]], list[int]], moment: Moment, edited: Edited) -> list[int]:
    """The recorded values that an edited statement can get hold of."""
    key = (id(moment), edited.names)
    if key not in known:
        frozen = (moment.locals.get(name, moment.globals.get(name)) for name in edited.names)
        known[key] = sorted(nodes_in(frozen))
    return known[key]
