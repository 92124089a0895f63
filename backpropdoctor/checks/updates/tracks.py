"""The parameters on a tape, step by step: which version the forward pass read, the gradient of it, the updates it
got."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from ...tape.algebra import Scaling, Term
from ...tape.replay import Objective, Replay
from ...tape.run import RunResult
from ...tape.steps import Steps, Update
from ...tape.tape import Binding, Iteration, Node, Site, Tape
from ...tape.training import Held, LossFound, Training
from .by_name import with_named_gradients
from .history import History, Sample, same_bits
from .names import Parts, is_gradient_name, last_word

MOST_STEPS = 6  # recorded steps that are looked at; more show nothing that these do not


@dataclass(slots=True, eq=False)
class Moment:
    """One parameter in one step: the nodes of its version (several for a list of scalars) and of its gradient's
    terms."""

    step: int
    origins: tuple[int, ...]
    terms: tuple[tuple[Term, ...], ...]
    factor: float | None = None


@dataclass(slots=True, eq=False)
class Track:
    """One parameter over the recorded steps. `updated` is False where no update of it was recorded at all."""

    name: str
    parts: Parts
    moments: list[Moment]
    gradient_name: str = ""
    gradient_site: Site | None = None
    updated: bool = True


class Recorded:
    """A run, its tape replayable, and the tracks of its parameters."""

    def __init__(self, run: RunResult, trainings: Iterable[Training]) -> None:
        self.run = run
        self.tape: Tape = run.tape
        self.trainings = sorted(trainings, key=lambda t: t.step)[:MOST_STEPS]
        self.replay = self.trainings[0].replay if self.trainings else Replay(run.tape)
        self.steps = self.replay.once(Steps)
        self.canon = self.replay.canonical
        self.nodes: Sequence[Node] = self.tape.nodes
        self.unmoved: list[Track] = []  # parameters with a gradient in one step whose own value nothing updates

    @cached_property
    def tracks(self) -> list[Track]:
        """The parameters that updates showed, then those that only a gradient's name shows."""
        found: dict[str, Track] = {}
        for training in self.trainings:
            seen: dict[int, str] = {}  # steps that went astray begin at one version again and again
            for held in training.parameters:
                version = self.canon[held.tensor.nodes[0]]
                name = seen.setdefault(version, held.tensor.name)
                parts = self.parts(name, held.tensor.nodes)
                self._follow(found.setdefault(name, Track(name, parts, [])), training, held)
            for track in (found[n] for n in set(seen.values()) if len(seen) < len(training.parameters)):
                track.name = re.sub(r" \(no\. \d+\)$", "", track.name)
        for track in found.values():
            self._split(track)
            track.updated = any(self.updates_of(m) for m in track.moments)
        self.unmoved = [t for t in found.values() if not t.updated]
        live = {i for t in found.values() if t.updated for m in t.moments for i in m.origins}
        moving = {i for t in found.values() if t.updated and not self.still(t) for i in self._gradients(t)}
        still = [t for t in self.named if not live & {self.canon[i] for m in t.moments for i in m.origins}]
        return [t for t in found.values() if t.updated] + [t for t in still if not self._gradients(t) <= moving]

    def in_every_round(self, track: Track) -> Track:
        """A track with a moment for each time that its gradient was computed, at the place where it was the first time."""
        origins = track.moments[0].origins
        nodes = [self.nodes[self.bare(t.node)] for m in track.moments for terms in m.terms for t in terms]
        sites = {n.site.id for n in nodes if n.site is not None}
        shapes = {np.shape(n.value) for n in nodes}
        made = [n.index for n in self.nodes if n.site is not None and n.site.id in sites and np.shape(n.value) in shapes]
        moments = [Moment(k, origins, ((Term(1.0, i),),)) for k, i in enumerate(made)]
        return replace(track, moments=moments) if len(origins) == 1 and made else track

    def _gradients(self, track: Track) -> set[int]:
        """The gradients of a parameter: those that move another one are that one's."""
        return {self.canon[self.bare(t.node)] for m in track.moments for terms in m.terms for t in terms}

    def _follow(self, track: Track, training: Training, held: Held) -> None:
        """Add one step to a track."""
        track.gradient_name = held.name or track.gradient_name
        track.gradient_site = held.site or track.gradient_site
        step = max(training.step, track.moments[-1].step + 1) if track.moments else training.step
        track.moments.append(self._moment(step, held.tensor.nodes, held.claim.terms, held.coefficient))

    def _moment(self, step: int, origins: tuple[int, ...], terms: tuple[tuple[Term, ...], ...], factor: float | None) -> Moment:
        """A moment whose gradient is what the code calls so, without the scalar factors of the update."""
        if len(terms) != 1 or len(terms[0]) != 1:
            return Moment(step, origins, terms, factor)
        term = terms[0][0]
        chain = self.scalings(term.node)
        named = (s for s in chain if any(is_gradient_name(last_word(b.parts)) for b in self.bindings(s.node)))
        bare = next(named, chain[-1])
        scale = term.factor * bare.product
        if not scale or (factor is None and bare.node == term.node):
            return Moment(step, origins, terms, factor)
        return Moment(step, origins, ((Term(float(np.sign(scale)), bare.node),),), abs(scale * (factor or 1.0)))

    def _split(self, track: Track) -> None:
        """Several steps from one and the same version are as many moments: each went astray, and the next began
        anew."""
        moment = track.moments[0]
        if len(track.moments) > 1 or len(moment.origins) != 1 or len(moment.terms[0]) < 2:
            return
        if len(self.updates_of(moment)) == len(moment.terms[0]):
            terms = moment.terms[0][:MOST_STEPS]
            track.moments = [Moment(k, moment.origins, ((term,),), moment.factor) for k, term in enumerate(terms)]

    def parts(self, name: str, origins: Sequence[int]) -> Parts:
        """The name taken apart as the binding has it."""
        for i in origins:
            for b in self.bindings(i):
                if b.name == name:
                    return b.parts
        return (name,)

    def bindings(self, node: int) -> list[Binding]:
        """All bindings of a value, under whichever of its equal nodes."""
        return self._by_canon.get(self.canon[node], [])

    @cached_property
    def _by_canon(self) -> dict[int, list[Binding]]:
        found: dict[int, list[Binding]] = {}
        for b in self.tape.bindings:
            if b.node is not None:
                found.setdefault(self.canon[b.node], []).append(b)
        return found

    @cached_property
    def named(self) -> list[Track]:
        """Values from outside that never change on the tape and have, by name and shape, a gradient in two steps or
        more."""
        found = []
        for node, b, series in with_named_gradients(self):
            moments = [Moment(k, (node.index,), ((Term(1.0, g.node or 0),),)) for k, g in enumerate(series[:MOST_STEPS])]
            site = self.nodes[series[-1].node or 0].site
            found.append(Track(b.name, b.parts, moments, series[-1].name, site, updated=False))
        return found

    @cached_property
    def losses(self) -> dict[int, LossFound]:
        """The loss of each step; where it was not looked for, the value made at the same place of the code."""
        known = {t.step: t.loss for t in self.trainings if t.loss is not None}
        model = next((loss for loss in known.values() if len(loss.objective.nodes) == 1), None)
        site = self.nodes[model.objective.nodes[0]].site if model is not None else None
        if model is None or site is None:
            return known
        same = (n for n in self.nodes if n.site is not None and n.site.id == site.id)
        made = [n.index for n in same if np.size(n.value) == 1]
        borders = self.steps.new_values
        for training in self.trainings:
            here = training.origins
            for node in made if training.step not in known else ():
                if here and here <= self.replay.upstream([node], barrier=(borders | here) - {self.canon[node]}):
                    value = float(np.reshape(self.nodes[node].value, ()))
                    known[training.step] = replace(model, objective=Objective.of_node(node), value=value)
                    break
        return known

    # ---- values

    def value(self, nodes: Sequence[int]) -> np.ndarray:
        """What the nodes held: one array, or the scalars of a list."""
        if len(nodes) == 1:
            return np.asarray(self.nodes[nodes[0]].value)
        return np.array([np.reshape(self.nodes[i].value, ()) for i in nodes])

    def gradient(self, moment: Moment) -> np.ndarray | None:
        """The gradient in the shape of the parameter; None where it does not fit."""
        parts = []
        for origin, terms in zip(moment.origins, moment.terms, strict=True):
            shape = np.shape(self.nodes[origin].value)
            total: Any = 0.0
            for term in terms:
                value = np.asarray(self.nodes[term.node].value)
                if value.size != int(np.prod(shape)):
                    return None
                value = value.reshape(shape)
                total = total + (value if term.factor == 1 else -value if term.factor == -1 else term.factor * value)
            parts.append(total)
        return np.asarray(parts[0]) if len(parts) == 1 else np.array(parts)

    def updates_of(self, moment: Moment) -> list[Update]:
        """The updates that begin at the moment's version, each followed by those of its result."""
        found = [u for i in dict.fromkeys(self.canon[i] for i in moment.origins) for u in self.from_version.get(i, ())]
        return [u for u in found if self.canon[u.new] != self.canon[u.old]]

    @cached_property
    def from_version(self) -> dict[int, list[Update]]:
        """The updates that begin at a version or at the copy that takes its place, by its canonical node."""
        found: dict[int, list[Update]] = {}
        for update in self.steps.updates:
            found.setdefault(self.canon[self.steps.heirs.get(update.old, update.old)], []).append(update)
        return found

    @cached_property
    def from_node(self) -> dict[int, list[Update]]:
        """The same by the node itself."""
        found: dict[int, list[Update]] = {}
        for update in self.steps.updates:
            found.setdefault(update.old, []).append(update)
        return found

    @cached_property
    def training_rounds(self) -> list[tuple[float, float, int, int]]:
        """(first node, 0, instance, number) of each iteration of the loops whose every iteration makes gradients."""
        made = [sorted({self.bare(t.node) for m in track.moments for terms in m.terms for t in terms}) for track in self.tracks]
        rounds: dict[int, list[Iteration]] = {}
        for it in self.tape.iterations:
            rounds.setdefault(it.site.id, []).append(it)
        full = {s: its for s, its in rounds.items() if all(_each_holds(its, nodes) for nodes in made)}
        outermost = dict(list(rounds.items())[:1])
        return sorted((it.at, 0.0, it.instance, it.number) for its in (full or outermost).values() for it in its)

    def bare(self, node: int) -> int:
        """A value without its scalar factors: the gradient in `lr * dW`."""
        return self.scalings(node)[-1].node

    def scalings(self, node: int) -> list[Scaling]:
        """A value, and what is left of it as scalar factors that no parameter goes into are taken off one by one."""
        return list(self.steps.algebra.scalings(node, lambda i: self.canon[i] in self.live))

    @cached_property
    def live(self) -> set[int]:
        """Everything that depends on a parameter that was found by its update."""
        return self.replay.downstream(i for t in self.trainings for i in t.origins)

    def history(self, tracks: Sequence[Track]) -> History:
        """The tracks as a history: what each step made of each parameter."""
        start = {t.name: self.value(t.moments[0].origins) for t in tracks}
        history = History(start, kept=64)
        losses = {step: loss.value for step, loss in self.losses.items() if loss.source != "implied"}
        steps = sorted({m.step for t in tracks for m in t.moments})
        for k in steps:
            before, after, gradients = {}, {}, {}
            for track in tracks:
                at = next((n for n, m in enumerate(track.moments) if m.step == k), None)
                if at is None:
                    continue
                moment = track.moments[at]
                before[track.name] = self.value(moment.origins)
                after[track.name] = self.after(track, at)
                gradient = self.gradient(moment)
                if gradient is not None:
                    gradients[track.name] = gradient
            history.add(Sample(k, before, after, gradients, losses.get(k)))
        history.steps = len(steps)
        history.finish({t.name: self.after(t, len(t.moments) - 1) for t in tracks})
        return history

    def after(self, track: Track, at: int) -> np.ndarray:
        """The parameter after step number `at` of its track: what the next step read, or what the last update made."""
        if at + 1 < len(track.moments):
            return self.value(track.moments[at + 1].origins)
        moment = track.moments[at]
        last = []
        for origin in moment.origins:
            node, more = origin, True
            while more:
                later = [u.new for u in self.from_version.get(self.canon[node], ()) if u.new > node]
                more = bool(later)
                node = later[0] if later else node
            last.append(node)
        return self.value(last)

    def still(self, track: Track) -> bool:
        """Whether every step read what the first one read, bit by bit; what the last one made is read by none."""
        values = [self.value(m.origins) for m in track.moments]
        if len(values) == 1:
            return same_bits(values[0], self.after(track, 0))
        return all(same_bits(values[0], v) for v in values[1:])


def _each_holds(its: Sequence[Iteration], made: Sequence[int]) -> bool:
    """Whether every iteration of a loop but the last, which may be cut short, makes one of the nodes `made`."""
    starts = [it.at for it in its]
    if len(starts) < 2:
        return bool(made) and made[-1] >= starts[0]
    return all(bisect_right(made, b - 1) > bisect_right(made, a - 1) for a, b in zip(starts, starts[1:], strict=False))
