"""Which updates on a tape are of parameters, and which of states (a momentum, a running mean, an average of weights).

A parameter is a value whose update depends on the value itself: the gradient of a model does, a momentum, a running sum or
an accumulator does not.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property

import numpy as np

from ..tape.algebra import SUB
from ..tape.numbering import reads_shape_only
from ..tape.steps import Steps, Update
from ..tape.tape import Node, Ref
from .company import Company, Evidence
from .conventions import is_gradient_name, is_learning_rate
from .late import with_late
from .passing import without_between, without_restarted, without_states
from .recurrent import without_carried
from .starts import starts_of
from .states import States


class Updated:
    """The updates of a tape, told apart."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.replay = steps.replay
        self.nodes = steps.tape.nodes
        self.canon = self.replay.canonical
        self._penalties: dict[tuple[int, int], bool] = {}
        self.averages: set[int] = set()  # averages of parameters, known once `updates` is
        self.evidence: dict[int, Evidence] = {}  # of updates that are claims only, by their new node; known with `updates`

    @cached_property
    def before(self) -> dict[int, int]:
        """For each value the one that its place held before."""
        found = {u.new: u.old for u in self.steps.updates}
        held: dict[Hashable, int] = {}
        for b in self.steps.tape.bindings:
            if b.node is None or b.how == "loop":  # the next element of a list is no new version of the last one
                continue
            old = held.get(b.place)
            shape = np.shape(self.nodes[b.node].value)
            fresh = b.how == "read"  # a value of its own that a name, such as that of a comprehension, stands for in turn
            if old is not None and old != b.node and not fresh and np.shape(self.nodes[old].value) == shape:
                found.setdefault(b.node, old)
            held[b.place] = b.node
        for node in self.nodes:
            if node.kind == "write":
                found.setdefault(node.index, node.args[0].index)
        for heir, original in self.steps.heirs.items():
            found.setdefault(heir, original)
        return found

    @cached_property
    def starts(self) -> dict[int, int]:
        """For each update (by its new node) the node at which its training step began; claims add theirs."""
        return starts_of(self)

    def _origin(self, update: Update, known: dict[int, int]) -> int | None:
        """The version of the place, in this step, that the update depends on."""
        versions: list[int] = []
        version: int | None = update.old
        for _ in range(3):
            if version is None:
                break
            versions += [v for v in (version, known.get(version)) if v is not None]
            version = self.before.get(version)
        sources = [i for t in update.terms for i in self._without_average(t.node, versions)]
        made_of = self.made_of(sources, self.starts[update.new], versions)
        return next((v for v in versions if v in made_of), None)

    def _without_average(self, node: int, versions: list[int]) -> list[int]:
        """What a step is made of, where `x += c * (a - x)` takes a value towards `a`: only `a` can make it a gradient."""
        inner = self.nodes[self.steps.algebra.all_scalings(node)[-1].node]
        if inner.kind == "op" and inner.op in SUB and len(inner.args) == 2 and not self.replay.index.names.get(inner.index):
            sides = [a.index for a in inner.args if isinstance(a, Ref)]
            towards = [i for i in sides if not any(self._is_version(i, v) for v in versions)]
            if len(towards) < len(sides):
                return towards
        return [node]

    def _is_version(self, i: int, version: int) -> bool:
        """Whether a node is a version of a value, or looks at it."""
        while i != version and self.canon[i] != self.canon[version]:
            node = self.nodes[i]
            inputs = list(node.inputs())
            if node.kind not in ("view", "op") or len(inputs) != 1 or not (node.kind == "view" or _is_reading(node)):
                return False
            i = inputs[0]
        return True

    def made_of(self, nodes: list[int], start: int, wanted: list[int]) -> set[int]:
        """Which of the values in `wanted` the `nodes` are made of, through what was recorded from `start` on.

        Once the first of them is found, the others do not matter.
        """
        low = min(wanted, default=0)
        seen, stack = set(), [i for i in nodes if i >= start]
        while stack:
            i = stack.pop()
            if i < start or i < low or reads_shape_only(self.nodes[i]):
                continue
            for j in self._read[i]:
                if j not in seen:
                    if j == wanted[0]:
                        return {j}
                    seen.add(j)
                    stack.append(j)
        return seen & set(wanted)

    @cached_property
    def _read(self) -> list[tuple[int, ...]]:
        """What each node reads."""
        return [tuple(node.inputs()) for node in self.nodes]

    def is_copy(self, i: int) -> bool:
        """Whether a node is a copy or an element of one value."""
        name = self.nodes[i].name
        return name in ("copy", "deepcopy", "array", "asarray", "getitem") and len(set(self.nodes[i].inputs())) == 1

    @cached_property
    def updates(self) -> list[tuple[Update, int]]:
        """The updates of parameters, each with the version of the parameter that the forward pass read."""
        found = self._proven()
        claims = Company(self, found).claims()
        for claim in claims:
            self.evidence[claim.update.new] = claim.evidence
            self.starts.setdefault(claim.update.new, claim.start)
        found += [(c.update, c.update.old) for c in claims]
        return sorted(found, key=lambda f: f[0].new)

    def _proven(self) -> list[tuple[Update, int]]:
        """The updates that are made of the value they change."""
        known: dict[int, int] = {}
        found: list[tuple[Update, int]] = []
        for update in self.steps.updates:
            if np.asarray(self.nodes[update.old].value).dtype.kind not in "fiu":
                continue
            origin = self._origin(update, known)
            if origin is not None:
                known[update.new] = origin
                found.append((update, origin))
        found = with_late(self, found)
        found = found or [(u, u.old) for u in self.steps.updates if self._is_step_by_name(u)]
        found = without_between(self, without_restarted(self, found))
        return without_states(self, without_carried(self, found))

    def _is_step_by_name(self, update: Update) -> bool:
        """Whether a value that something reads is changed by a learning rate times what the code calls a gradient."""
        read = {i for version in (update.old, update.new) for i in self.replay.index.consumers.get(version, ())}
        if update.self_factor != 1.0 or len(update.terms) != 1 or read <= {u.new for u in self.steps.updates}:
            return False
        step = self.steps.algebra.all_scalings(update.terms[0].node)[-1]
        called = (b.parts for b in self.replay.index.names.get(step.node, ()))
        return any(is_learning_rate(name) for _, name in step.factors) and any(is_gradient_name(parts) for parts in called)

    @cached_property
    def states(self) -> States:
        """What else outlives a step."""
        return States(self)

    @cached_property
    def borders(self) -> set[int]:
        """What later steps are constant in, beside their own parameters: new versions, averages and copies made of them.

        A copy that a step makes of its new weights (a target network) is no part of the forward pass of the next step.
        """
        found = {self.canon[u.new] for u, _ in self.updates} | self.averages
        next_start: dict[int, int] = {}
        for update, origin in self.updates:
            next_start[self.canon[origin]] = self.starts[update.new]
        for i, start in next_start.items():
            found |= {self.canon[j] for j in self.replay.index.consumers.get(i, ()) if j < start and self.is_copy(j)}
        return found

    def shrinks(self, updates: Sequence[Update], origin: int) -> bool:
        """Whether a step makes the value smaller besides: a factor below 1, or the step of a penalty."""
        versions = [origin, *(i for u in updates for i in (u.old, u.new))]
        if any(0 < u.self_factor < 1 or self.is_penalty(u, origin) for u in updates):
            return True
        for i in {j for v in versions for j in self.replay.index.consumers.get(v, ())}:
            split = self.steps.algebra.scalar_split(i)
            if split is not None and self.before.get(i) in versions:
                factor = float(np.reshape(self.steps.algebra.value(split[0]), ()))
                if 0 < factor < 1 and not split[2]:
                    return True
        return False

    def is_penalty(self, update: Update, origin: int) -> bool:
        """Whether a step is made of nothing but the value itself and numbers: the step of a penalty on it."""
        if (update.new, origin) not in self._penalties:
            self._penalties[update.new, origin] = self._is_made_of_itself(update, origin)
        return self._penalties[update.new, origin]

    def _is_made_of_itself(self, update: Update, origin: int) -> bool:
        own = {self.canon[i] for i in (update.old, origin)}
        first = min(own)  # what is older is not made of the value
        stack, touched = [self.canon[t.node] for t in update.terms], False
        seen: set[int] = set()
        while stack:
            i = stack.pop()
            if i in own:
                touched = True
                continue
            if i in seen:
                continue
            seen.add(i)
            inputs = self.replay.inputs(i) if i > first else []
            if not inputs and np.size(self.nodes[i].value) > 1:
                return False
            stack.extend(inputs)
        return touched

    def place(self, update: Update) -> Hashable:
        """What an update changes: the place it is bound to, or the one whose value that place took over for good."""
        own = self._own_place(update)
        return self._taken_over.get(own, own)

    @cached_property
    def _taken_over(self) -> dict[Hashable, Hashable]:
        """For each place that begins with what another one held when it was left, as a new dictionary does in every
        step, the first of them all."""
        last = {self._own_place(u): u.new for u in self.steps.updates}
        made = {u.new: self._own_place(u) for u in self.steps.updates}
        found: dict[Hashable, Hashable] = {}
        for update in self.steps.updates:
            own = self._own_place(update)
            if own in found:
                continue
            node: int | None = update.old
            while node is not None and node not in made:
                node = self.before.get(node)
            held = made.get(node) if node is not None else None
            found[own] = found.get(held, held) if held is not None and last[held] == node else own
        return found

    def _own_place(self, update: Update) -> Hashable:
        if update.binding is not None and self.nodes[update.new].kind != "write":
            return update.binding.place
        node, seen = update.old, set()
        while node in self.before and node not in seen:
            seen.add(node)
            node = self.before[node]
        return ("buffer", node)


def _is_reading(node: Node) -> bool:
    name = node.name
    return name in ("getitem", "copy", "array", "asarray", "asanyarray")
