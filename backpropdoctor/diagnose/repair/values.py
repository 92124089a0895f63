"""The values that a training step has under edits: edited statements run again, and all that follows from them is replayed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ...checks.gradients import Check, Measured
from ...tape.replay import Replay, run_node
from ...tape.steps import Steps
from ...tape.tape import Ref, Site
from .capture import Moment, Place
from .edited import Edited, Misfit, run_edited
from .renamed import Renamed, renamed

_PREPARED, _RUN, _OUTCOME = 40, 20, 100  # the work of an edit, of a statement run again, of a verdict, in operations
_ELEMENTS, _MULTIPLIED = 4_000, 20_000  # elements read or made, and products of two, in the time of one operation
_PRODUCTS = {"matmul", "dot", "einsum", "tensordot", "inner", "outer"}


class Values:
    """One training step and the runs of statements in it. Raw node indices are used throughout: equal values keep apart."""

    def __init__(self, check: Check, moments: dict[Place, list[Moment]], backward: Collection[int] = ()) -> None:
        self.check = check
        self.backward = backward
        self.replay: Replay = check.training.replay
        self.nodes = self.replay.tape.nodes
        self.claims: list[Measured] = [m for m in check.measured if m.verdict != "undecided"]
        self.finals = sorted({t.node for m in self.claims for ts in m.held.claim.terms for t in ts})
        self.last = max(self.finals, default=0)
        self.origins = {i for m in check.measured for i in m.held.tensor.nodes}
        canonical = self.replay.canonical
        self.upstream = self.replay.index.ancestors(self.finals, lambda i: canonical[i] in self.origins)
        self.all_moments = moments
        self.moments = {p: [m for m in ms if self._relevant(m)] for p, ms in moments.items()}
        self.effort = 0.0  # work done so far, in cheap operations on small arrays
        self._scaled: dict[int, list[tuple[int, float]]] = {}
        self._works: dict[int, float] = {}
        self._settled: dict[int, Any] = {}
        self._below: dict[tuple[int, ...], list[int]] = {}

    def _relevant(self, moment: Moment) -> bool:
        """Whether a run of a statement belongs to the step: its values are used, or might be if the code were right."""
        if moment.at <= self.begin:
            return False
        fresh = [node for _, node in moment.outs if node >= moment.at]
        if any(node in self.upstream for node in fresh):
            return True
        if moment.outs and not fresh:  # another name for a value that is there already
            return self.begin < moment.at <= self.last and any(node in self.upstream for _, node in moment.outs)
        return bool(fresh) and self.begin < moment.at <= self.last

    @property
    def begin(self) -> int:
        """The last node before the step, where the parameters were made in the step before it; -1 for the first one."""
        return max((i for i in self.origins if self.nodes[i].kind != "leaf"), default=-1)

    def usable(self, place: Place) -> bool:
        """Whether the statement made values of its own that the gradients depend on."""
        return bool(self.moments.get(place))

    def only_renames(self, place: Place) -> bool:
        """Whether the statement gives another name to a value that is there already."""
        return all(node < m.at for m in self.moments[place] for _, node in m.outs)

    # --- values -------------------------------------------------------------------------------------------------------

    def is_repeated(self, place: Place) -> bool:
        """Whether the statement ran more than once."""
        return len(self.moments[place]) > 1

    def first_values(self, edited: Edited, most: int = 3) -> list[Any]:
        """What an edited statement makes at its first moments (and the last), under the settled edits. Raises Misfit."""
        moments = self.moments[edited.place]
        chosen = moments[:most] if len(moments) <= 3 or most < 3 else [moments[0], moments[1], moments[-1]]
        self.effort += _PREPARED + sum(_RUN + self._work(node) for m in chosen for _, node in m.outs)
        return [v for moment in chosen for v in run_edited(edited, moment, self._seen)]

    def settle(self, edits: Sequence[Edited]) -> None:
        """From now on statements see the values that they have under these edits. Raises Misfit."""
        self._settled = self._evaluated(*self._starts(edits))[0] if edits else {}

    def _seen(self, index: int) -> Any:
        return self._settled[index] if index in self._settled else self.replay.base(index)

    def replayed(self, edits: Sequence[Edited]) -> dict[int, Any]:
        """The values of the gradients' nodes under the edits. Raises Misfit."""
        made, others = self._starts(edits)
        seen, value_at, value_of_renamed = self._evaluated(made, others)
        found = {i: self._final(i, seen, value_at) for i in self.finals}
        for other in others:
            if other.node in found and self._update_readers.get(other.node, set()) & other.readers:
                found[other.node] = value_of_renamed(other)
        return found

    @cached_property
    def _update_readers(self) -> dict[int, set[int]]:
        """For each gradient the operations of updates that read it."""
        found: dict[int, set[int]] = {i: set() for i in self.finals}
        updates = [u.site.statement for u in Steps(self.replay).updates if u.site is not None]
        for i, readers in found.items():
            for j in self.replay.index.consumers.get(i, ()):
                site = self.nodes[j].site
                if site is not None and any(site.statement is u for u in updates):
                    readers.add(j)
        return found

    @cached_property
    def _end(self) -> int:
        """The last node that has to do with the step: a gradient, or an operation of an update that reads one."""
        return max([self.last, *(j for readers in self._update_readers.values() for j in readers)])

    def _starts(self, edits: Sequence[Edited]) -> tuple[dict[int, tuple[Moment, Edited]], list[Renamed]]:
        """What edited statements make anew: values, and other names for values."""
        made: dict[int, tuple[Moment, Edited]] = {}
        others: list[Renamed] = []
        for edited in edits:
            for moment in self.moments[edited.place]:
                fresh = [node for _, node in moment.outs if node >= moment.at]
                for node in fresh:
                    made[node] = (moment, edited)
                if not fresh:
                    others += renamed(self.replay, moment, edited, self._end)
        return made, sorted(others, key=lambda r: r.moment.at)

    def _evaluated(
        self, made: dict[int, tuple[Moment, Edited]], others: list[Renamed]
    ) -> tuple[dict[int, Any], Callable[[int], Any], Callable[[Renamed], Any]]:
        """The values that are not as recorded, how to read any value, and one that was given another name."""
        seen: dict[int, Any] = {}
        failed: dict[int, str] = {}
        current = -1

        def value_at(index: int) -> Any:
            if index in failed:
                raise Misfit(failed[index])
            for other in others:
                if other.node == index and current in other.readers:
                    return value_of_renamed(other)
            return seen[index] if index in seen else self.replay.base(index)

        def value_of_renamed(other: Renamed) -> Any:
            """One after another, in the order in which they ran: each may read what the one before it made."""
            for r in others:
                if r.moment.at >= other.moment.at:
                    break
                if not r.done and r is not other:
                    with contextlib.suppress(Misfit):
                        one_renamed(r)
            return one_renamed(other)

        def one_renamed(other: Renamed) -> Any:
            if other.done:
                return other.made
            earlier = {r.node: r for r in others if r.moment.at < other.moment.at and r.done}
            return other.value(lambda i: earlier[i].made if i in earlier else value_as_it_is(i))

        def value_as_it_is(index: int) -> Any:
            if index in failed:
                raise Misfit(failed[index])
            return seen[index] if index in seen else self.replay.base(index)

        def value_of(ref: Ref) -> Any:
            return value_at(ref.index)

        starts = set(made) | {i for r in others for i in r.readers}
        below = self._downstream(starts)
        self.effort += _OUTCOME + _RUN * len(made) + sum(map(self._work, below))
        with np.errstate(all="ignore"):
            for i in below:
                if i in seen:
                    continue
                current = i
                try:
                    if i in made:
                        moment, edited = made[i]
                        values = run_edited(edited, moment, value_at)
                        for (_, node), value in zip(moment.outs, values, strict=True):
                            if node >= moment.at:
                                seen[node] = value
                    else:
                        seen[i] = run_node(self.nodes[i], value_of, self.replay.lifted)
                except Exception as error:
                    failed[i] = str(error)
        current = -1
        return seen, value_at, value_of_renamed

    def _work(self, index: int) -> float:
        """What an operation costs beside one on small arrays: by the elements it reads and makes, or multiplies."""
        if index not in self._works:
            node = self.nodes[index]
            sizes = [np.size(self.nodes[i].value) for i in node.inputs()] + [np.size(node.value)]
            name = getattr(node.op, "__name__", "")
            products = float(np.sqrt(np.prod(sorted(sizes)[-3:], dtype=float))) if name in _PRODUCTS else 0.0
            self._works[index] = 1 + sum(sizes) / _ELEMENTS + products / _MULTIPLIED
        return self._works[index]

    def _final(self, index: int, seen: Mapping[int, Any], value_at: Callable[[int], Any]) -> Any:
        """A gradient's value; one that its statement scales before anybody sees it is read off the scaled one."""
        if index not in seen:
            scaled = self._scaled_forms(index)
            for other, factor in scaled:
                if other in seen:
                    return np.asarray(seen[other], dtype=float) / factor
        return value_at(index)

    def _scaled_forms(self, index: int) -> list[tuple[int, float]]:
        """The multiples of a value that the same statement makes of it, with their factors."""
        if index not in self._scaled:
            found: list[tuple[int, float]] = []
            site, level = self.nodes[index].site, [index]
            for _ in range(3):
                level = [j for i in level for j in self.replay.index.consumers.get(i, ()) if _same(site, self.nodes[j].site)]
                found += [(j, f) for j in level if (f := self._factor(index, j))]
            self._scaled[index] = found
        return self._scaled[index]

    def _factor(self, index: int, other: int) -> float | None:
        a, b = (np.asarray(self.replay.base(i), dtype=float) for i in (index, other))
        if a.shape != b.shape or not np.any(a):
            return None
        k = int(np.argmax(np.abs(a)))
        factor = float(b.flat[k] / a.flat[k])
        return factor if factor and np.allclose(b, factor * a, rtol=1e-9) else None

    def _downstream(self, starts: Collection[int]) -> list[int]:
        key = tuple(sorted(starts))
        if key not in self._below:
            self._below[key] = self._descendants(key)
        return self._below[key]

    def _descendants(self, starts: tuple[int, ...]) -> list[int]:
        """What depends on some nodes, up to the gradients; parameters keep their values, whatever an earlier step does."""
        consumers, canonical = self.replay.index.consumers, self.replay.canonical
        found, stack = set(starts), list(starts)
        while stack:
            for i in consumers.get(stack.pop(), ()):
                if i not in found and i <= self.last and canonical[i] not in self.origins:
                    found.add(i)
                    stack.append(i)
        return sorted(i for i in found)


def _same(a: Site | None, b: Site | None) -> bool:
    return a is not None and b is not None and a.statement is b.statement
