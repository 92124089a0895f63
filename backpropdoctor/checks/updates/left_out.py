"""Parameters that the update leaves out: their gradient is computed and right, and nothing uses it.

Three things are measured and one is read off the record: the loss depends on the value, the value is the same in all
recorded steps, a value of the backward pass is its gradient (parallel to the adjoint, in the ratio that the gradients
which are used have) and goes into no update; and the value is a sibling of values that are updated. Data have a
gradient that nothing uses as well (`dX`), but no such sibling.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ...numeric.estimate import Estimate
from ...tape.adjoint import Claim, Ratio, Tensor, close, proportion, squeezed
from ...tape.algebra import Term
from ...tape.steps import Update
from ...tape.tape import Binding, Node, Ref
from ...tape.training import Held, LossFound, Training
from .left_names import alike, relation
from .names import Parts, is_parameter_name, last_word
from .tracks import Recorded

Kin = Literal["role", "container", "name"]
_MOST = 200  # values from outside that are looked at
_DATA = re.compile(r"^_*(x|y|t|s|h|a|data\w*|inputs?\w*|targets?\w*|labels?\w*|batch\w*|images?|tokens?|states?)_?\d*$", re.I)
_PLANNED = re.compile(r"emb|pos|fixed|frozen|random|const|proj|target|ema|teacher|ref", re.I)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A parameter that no update changes: its value, its gradient with the name it has, and the siblings of it."""

    node: int
    gradient: int
    called: Binding
    kin: Kin
    siblings: tuple[Held, ...]
    slope: float
    ratio: Ratio
    names: tuple[Binding, ...]

    @property
    def parts(self) -> Parts:
        """Its name taken apart; the place that holds it comes before a name for the moment."""
        return best_of(self.names).parts

    @property
    def name(self) -> str:
        """What a person calls it."""
        return best_of(self.names).name

    @property
    def likely(self) -> bool:
        """Whether nothing in its name says that it may be meant to stay as it is."""
        return not any(_PLANNED.search(str(p)) for b in self.names for p in b.parts)


def best_of(names: Iterable[Binding]) -> Binding:
    """The name that a person would use: a slot or an outer variable before an argument or the target of a loop."""
    passing = ("loop", "argument", "return")
    return min(names, key=lambda b: (b.how in passing, len(b.parts) < 2 and b.scope > 0, len(b.parts) > 3, b.scope, b.at))


class Search:
    """The values of one training step that the update leaves out."""

    def __init__(self, recorded: Recorded, training: Training, loss: LossFound) -> None:
        self.recorded, self.training, self.loss = recorded, training, loss
        self.nodes, self.canon, self.replay = recorded.nodes, recorded.canon, recorded.replay
        self.index = self.replay.index

    def found(self) -> list[LeftOut]:
        """Those that are left out, in the order in which they are read first."""
        return [left for i in self.candidates for left in self._left_out(i)]

    @cached_property
    def made_of(self) -> set[int]:
        """Everything that the loss of the step depends on."""
        return self.replay.upstream(self.loss.objective.nodes, barrier=self.replay.borders | self.origins)

    @cached_property
    def origins(self) -> set[int]:
        """The versions of the parameters that the step reads; what they are made of belongs to the step before."""
        return {self.canon[i] for held in self.training.parameters for i in held.tensor.nodes}

    @cached_property
    def parameters(self) -> dict[int, Held]:
        """The first versions of what is updated, and all later ones, with what the first step knows of it."""
        found: dict[int, Held] = {}
        for training in self.recorded.trainings:
            for held in training.parameters:
                for i in held.tensor.nodes:
                    found.setdefault(self.canon[i], held)
        return found

    @cached_property
    def updates(self) -> list[Update]:
        """The updates of parameters."""
        return [u for u in self.recorded.steps.updates if self.canon[u.new] in self.root_of]

    @cached_property
    def root_of(self) -> dict[int, int]:
        """The first version of each version that an update of a parameter made."""
        found: dict[int, int] = {}
        for update in self.recorded.steps.updates:
            old, new = self.canon[update.old], self.canon[update.new]
            if old != new and new in self.replay.borders and (old in found or old in self.parameters):
                found[new] = found.get(old, old)
        return found

    @property
    def roots(self) -> set[int]:
        """The first versions of the parameters that are updated."""
        return set(self.root_of.values())

    @cached_property
    def versions(self) -> set[int]:
        """All versions of the parameters that are updated."""
        return set(self.parameters) | set(self.root_of)

    @cached_property
    def candidates(self) -> list[int]:
        """The floats from outside that the loss is made of, that every step reads and that nothing ever changes."""
        changed = {self.canon[u.old] for u in self.recorded.steps.updates if self.canon[u.new] != self.canon[u.old]}
        found = []
        for i in sorted(self.made_of):
            node = self.nodes[i]
            if node.kind not in ("leaf", "random") or i in changed or i in self.versions:
                continue
            if is_float(node.value) and np.size(node.value) and self._is_read_again(i):
                found.append(i)
        return found[:_MOST]

    def _is_read_again(self, i: int) -> bool:
        """Whether two steps at least read a value: between their reading stands an update of a parameter."""
        read = self.index.consumers.get(i, [])
        return bool(read) and any(read[0] < u.new < read[-1] for u in self.updates)

    def _left_out(self, i: int) -> Iterator[LeftOut]:
        names = tuple(b for b in self.recorded.bindings(i) if b.how != "return")
        kin, siblings = self._kin(i, names)
        fellows = () if siblings else self._fellows(names)
        siblings = siblings or fellows
        if not siblings or (kin != "role" and any(_DATA.match(last_word(b.parts)) for b in names)):
            return
        for gradient, called in self._gradients(i):
            ratio = self._ratio(i, gradient)
            if ratio is None or ratio.value is None or not any(close(abs(ratio.value), abs(s)) for s in self.scales):
                continue
            if (fellows or not self._is_unused(gradient, i)) and not self._is_named_alike(called, names, siblings):
                continue
            called = self._best_called(gradient, called, names)
            slope = self._slope(i, 0)
            if slope is not None:
                yield LeftOut(i, gradient, called, kin, siblings, slope.value, ratio, names)
                return

    # ---- siblings

    def _kin(self, i: int, names: tuple[Binding, ...]) -> tuple[Kin, tuple[Held, ...]]:
        """What says that a value is of one kind with parameters, and with which; () where nothing does."""
        by: dict[Kin, dict[int, Held]] = defaultdict(dict)
        roles, holders = self._roles(i), {_holder(b) for b in names} - {None}
        for j, held in self.parameters.items():
            others = [b for b in self.recorded.bindings(j) if b.how != "return"]
            if np.size(self.nodes[j].value) and roles & self._roles(j):
                by["role"][id(held)] = held
            if holders & {_holder(b) for b in others}:
                by["container"][id(held)] = held
            if any(alike(b.parts, o.parts) for b in names for o in others):
                by["name"][id(held)] = held
        kin: Kin = "role" if by["role"] else "container" if by["container"] else "name"
        return kin, tuple(by[kin].values())

    def _fellows(self, names: tuple[Binding, ...]) -> tuple[Held, ...]:
        """What is updated of the object that holds a value called a parameter: its gradient has to be called alike then."""
        owners = {b.parts[:-1] for b in names if len(b.parts) > 1 and is_parameter_name(last_word(b.parts))}
        found = {
            id(held): held for j, held in self.parameters.items() for b in self.recorded.bindings(j) if b.parts[:-1] in owners
        }
        return tuple(found.values())

    def _roles(self, i: int) -> set[tuple[int, int]]:
        """The operands that a value is, of expressions that read nothing there but parameters and values from outside."""
        found = set()
        for j in self.index.consumers.get(i, ()):
            found |= {(s, at) for s, at in _operands(self.nodes[j], i) if (s, at) in self._pure}
        return found

    @cached_property
    def _pure(self) -> set[tuple[int, int]]:
        read: dict[tuple[int, int], bool] = {}
        for node in self.nodes:
            for at, i in _references(node):
                if node.site is None or not is_float(self.nodes[i].value):
                    continue
                own = self.canon[i] in self.versions or (self.nodes[i].kind == "leaf")
                read[node.site.id, at] = read.get((node.site.id, at), True) and own
        return {key for key, pure in read.items() if pure}

    # ---- gradients

    @cached_property
    def scales(self) -> list[float]:
        """The ratios to the truth of the gradients that are used; 1 where none is parallel to it."""
        found = []
        for held in self.training.parameters:
            ratio = self.training.adjoints.ratio(held.claim, self.loss.objective, crude=True)
            if ratio is not None and ratio.value and not ratio.zero:
                found.append(ratio.value)
        return found or [1.0]

    def _gradients(self, i: int) -> Iterator[tuple[int, Binding]]:
        """The named values of the backward pass that have the shape of a value."""
        shape = squeezed(np.shape(self.nodes[i].value))
        done = set()
        for b in self.recorded.tape.bindings:
            if b.node is None or b.how in ("return", "loop", "argument") or not is_float(self.nodes[b.node].value):
                continue
            node = self.canon[b.node]
            if node in done or node in self.made_of or node in self.versions or self.nodes[node].kind == "leaf":
                continue
            if squeezed(np.shape(self.nodes[node].value)) == shape:
                done.add(node)
                yield node, b

    def _ratio(self, i: int, gradient: int) -> Ratio | None:
        claim = Claim(Tensor("", (i,)), ((Term(1.0, gradient),),))
        pairs = []
        for number in (0, 1):
            truth = self._slope(i, number)
            if truth is None:
                return None
            try:
                pairs.append((*self.training.adjoints.claimed(claim, number), truth.value, truth.error))
            except ValueError:
                return None
        found = proportion(pairs)
        return None if found.zero else found

    def _slope(self, i: int, number: int) -> Estimate | None:
        """The slope of the step's loss along a value, where the other parameters are held fast."""
        adjoints, loss = self.training.adjoints, self.loss.objective
        return adjoints.slope(Tensor("", (i,)), loss, number, tuple(sorted(self.origins)), crude=True)

    def _is_unused(self, gradient: int, i: int) -> bool:
        """Whether a gradient goes into no update, but for a number that scales all of them (a norm)."""
        return gradient not in (self._used if np.size(self.nodes[i].value) == 1 else self._used_whole)

    @cached_property
    def _used(self) -> set[int]:
        return self.replay.upstream([t.node for u in self.updates for t in u.terms], barrier=self.versions)

    @cached_property
    def _used_whole(self) -> set[int]:
        numbers = {i for i in self._used if is_float(self.nodes[i].value) and np.size(self.nodes[i].value) == 1}
        return self.replay.upstream([t.node for u in self.updates for t in u.terms], barrier=self.versions | numbers)

    def _best_called(self, gradient: int, called: Binding, names: tuple[Binding, ...]) -> Binding:
        """The name of a gradient that is made of its parameter's, where it has one."""
        given = [g for g in self.recorded.bindings(gradient) if g.how not in ("return", "loop", "argument")]
        return next((g for b in (best_of(names), *names) for g in given if relation(b.parts, g.parts)), called)

    def _is_named_alike(self, called: Binding, names: tuple[Binding, ...], siblings: tuple[Held, ...]) -> bool:
        """Whether the gradient is called after its parameter as those of the siblings are."""
        own = {relation(b.parts, called.parts) for b in names} - {None}
        theirs = {
            relation(b.parts, g.parts)
            for held in siblings
            for b in self.recorded.bindings(held.tensor.nodes[0])
            for g in self.recorded.bindings(held.node)
        }
        return bool(own & theirs)


def _references(node: Node) -> Iterator[tuple[int, int]]:
    for at, arg in enumerate(node.args):
        if isinstance(arg, Ref):
            yield at, arg.index


def _operands(node: Node, i: int) -> Iterator[tuple[int, int]]:
    if node.site is not None:
        yield from ((node.site.id, at) for at, j in _references(node) if j == i)


def _holder(b: Binding) -> object:
    """The dictionary or list that a binding stores into; None for variables and attributes."""
    place = b.place
    return place[1] if isinstance(place, tuple) and len(place) == 3 and place[0] == "item" else None


def is_float(value: object) -> bool:
    """Whether a value is a float or an array of them; a list of arrays is none."""
    return isinstance(value, float) or getattr(getattr(value, "dtype", None), "kind", "") == "f"
