"""The values that a training step has under edits: edited statements run again, and all that follows from them is replayed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ...checks.gradients import Check, Measured
from ...tape.operation import Prepared
from ...tape.replay import Replay
from ...tape.steps import Steps
from ...tape.tape import Site
from .capture import Moment, Place
from .edited import Edited, run_edited
from .evaluation import RUN, Evaluation, Made
from .renamed import Renamed, renamed

_PREPARED, _OUTCOME = 40, 100  # the work of an edit and of a verdict, in operations
_ELEMENTS, _MULTIPLIED = 4_000, 20_000  # elements read or made, and products of two, in the time of one operation
_BETWEEN = 0.38  # of all runs of a statement: of two nested loops, both are away from their ends and from each other
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
        self.plans: dict[Any, list[int]] = {}  # what evaluations have to work out
        self.scenery: dict[tuple[int, tuple[str, ...]], list[int]] = {}  # what edited statements see
        self.operations: dict[int, Prepared | None] = {}

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

    def outgrown(self, place: Place) -> tuple[int, ...] | None:
        """The shape to which the value of a statement grows by broadcasting when more is added under its name; else None."""
        return self._outgrown.get((place.path, place.line))

    @cached_property
    def _outgrown(self) -> dict[tuple[str, int], tuple[int, ...]]:
        """These shapes by the file and the line."""
        pairs = ((self.nodes[u.old], self.nodes[u.new]) for u in self.replay.once(Steps).updates)
        grown = ((old.site, np.shape(new.value)) for old, new in pairs if np.shape(old.value) not in ((), np.shape(new.value)))
        return {(site.span.path, site.statement.lineno): shape for site, shape in grown if site is not None}

    # --- values -------------------------------------------------------------------------------------------------------

    def is_repeated(self, place: Place) -> bool:
        """Whether the statement ran more than once."""
        return len(self.moments[place]) > 1

    def first_values(self, edited: Edited, most: int = 4) -> list[Any]:
        """What an edited statement makes at its first two moments, one in between and the last, under the settled edits.

        Raises Misfit.
        """
        moments = self.moments[edited.place]
        between = int(_BETWEEN * len(moments))
        few = len(moments) <= 4 or most < 4
        chosen = moments[:most] if few else [moments[0], moments[1], moments[between], moments[-1]]
        self.effort += _PREPARED + sum(RUN + self.work(node) for m in chosen for _, node in m.outs)
        return [v for moment in chosen for v in run_edited(edited, moment, self.value_seen)]

    def made_by(self, edited: Edited) -> set[int]:
        """The values that an edited statement makes."""
        return {node for m in self.moments[edited.place] for _, node in m.outs if node >= m.at}

    def settle(self, edits: Sequence[Edited]) -> None:
        """From now on statements see the values that they have under these edits. Raises Misfit."""
        self._settled = {}
        if edits:
            evaluation = self.evaluation(edits)
            evaluation.reach()
            self._settled = evaluation.seen

    def value_seen(self, index: int) -> Any:
        """A value under the settled edits."""
        return self._settled[index] if index in self._settled else self.replay.base(index)

    def evaluation(self, edits: Sequence[Edited]) -> Evaluation:
        """The step under the edits, nothing of it worked out yet."""
        self.effort += _OUTCOME
        return Evaluation(self, edits, *self._starts(edits))

    def finals_of(self, evaluation: Evaluation, indices: Sequence[int]) -> dict[int, Any]:
        """The values of some of the gradients' nodes under the edits. Raises Misfit."""
        scaled = [j for i in indices for j, _ in self._scaled_forms(i)]
        evaluation.reach([*indices, *scaled])
        found = {i: self._final(i, evaluation) for i in indices}
        for other in evaluation.others:
            if other.node in found and self._update_readers.get(other.node, set()) & other.readers:
                found[other.node] = evaluation.renamed(other)
        return found

    @cached_property
    def _update_readers(self) -> dict[int, set[int]]:
        """For each gradient the operations of updates that read it."""
        found: dict[int, set[int]] = {i: set() for i in self.finals}
        updates = [u.site.statement for u in self.replay.once(Steps).updates if u.site is not None]
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

    def _starts(self, edits: Sequence[Edited]) -> tuple[Made, list[Renamed]]:
        """What edited statements make anew: values, and other names for values."""
        made: Made = {}
        others: list[Renamed] = []
        for edited in edits:
            for moment in self.moments[edited.place]:
                fresh = [node for _, node in moment.outs if node >= moment.at]
                for node in fresh:
                    made[node] = (moment, edited)
                if not fresh:
                    others += renamed(self.replay, moment, edited, self._end)
        return made, sorted(others, key=lambda r: r.moment.at)

    def work(self, index: int) -> float:
        """What an operation costs beside one on small arrays: by the elements it reads and makes, or multiplies."""
        if index not in self._works:
            node = self.nodes[index]
            sizes = [np.size(self.nodes[i].value) for i in node.inputs()] + [np.size(node.value)]
            name = node.name
            products = float(np.sqrt(np.prod(sorted(sizes)[-3:], dtype=float))) if name in _PRODUCTS else 0.0
            self._works[index] = 1 + sum(sizes) / _ELEMENTS + products / _MULTIPLIED
        return self._works[index]

    def _final(self, index: int, evaluation: Evaluation) -> Any:
        """A gradient's value; one that its statement scales before anybody sees it is read off the scaled one."""
        seen = evaluation.seen
        if index not in seen:
            for other, factor in self._scaled_forms(index):
                if other in seen:
                    return np.asarray(seen[other], dtype=float) / factor
        return evaluation.value_at(index)

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

    def downstream(self, key: tuple[int, ...]) -> list[int]:
        """What depends on some nodes, in order."""
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
