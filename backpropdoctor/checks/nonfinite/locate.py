"""Births of non-finite values on a tape, and what each of them reached: the loss, parameters, or nothing that matters."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...source import Span
from ...tape.replay import Replay
from ...tape.steps import Steps, Update
from ...tape.tape import Node, Ref, Tape
from .because import explain
from .birth import Birth, Link
from .changes import changes_of
from .classify import Cause
from .nodes import HIDING, Namer, cause_of, operands_of, operation_name, span_of_node, syntax_operands, written_literal
from .stack import batch_axis, looks_like_loss
from .values import as_numbers, badness, first_index, shown


@dataclass(frozen=True, slots=True)
class Born:
    """A node that is non-finite although nothing it read was."""

    node: int
    cause: Cause


class Trace:
    """The non-finite part of a tape."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.steps = Steps(Replay(tape))
        self.namer = Namer(tape)

    @cached_property
    def bad(self) -> dict[int, str]:
        """Each node that holds a NaN or an infinity, with the worst it holds."""
        found: dict[int, str] = {}
        for node in self.tape.nodes:
            state = badness(node.value)
            if state is not None:
                found[node.index] = state
        return found

    @cached_property
    def births(self) -> list[Born]:
        """In the order of the run: operations first, then the values that came in non-finite from outside."""
        made: list[Born] = []
        given: list[Born] = []
        for index in self.bad:
            node = self.tape.nodes[index]
            if node.kind in ("leaf", "random"):
                given.append(Born(index, _from_outside(node, self.namer)))
            elif written_literal(self.tape, node) or not any(i in self.bad for i in node.inputs()):
                cause = None if written_literal(self.tape, node) else cause_of(self.tape, node)
                made.append(Born(index, cause or _from_outside(node, self.namer)))
            else:
                cause = cause_of(self.tape, node)
                if cause is not None and cause.fresh:
                    made.append(Born(index, cause))
        return made + given

    def all_births(self) -> list[Birth]:
        """Every birth with all that is known of it."""
        return [self.birth(born) for born in self.births]

    @cached_property
    def updates(self) -> dict[int, Update]:
        """The nodes that are the new values of parameters, where non-finite."""
        return {u.new: u for u in self.changes if u.new in self.bad}

    @cached_property
    def changes(self) -> list[Update]:
        """Every value that was made from the old value at its place."""
        return changes_of(self.steps)

    @cached_property
    def losses(self) -> dict[int, str]:
        """The non-finite scalars that are named like a loss."""
        found: dict[int, str] = {}
        for binding in self.tape.bindings:
            i = binding.node
            if i in self.bad and np.size(self.tape.nodes[i].value) == 1 and looks_like_loss(binding.name):
                found.setdefault(i, binding.name)
        return found

    def path(self, start: int) -> tuple[dict[int, int], dict[int, int]]:
        """Breadth first over the non-finite nodes from `start`: the distance of each, and the node it was reached from."""
        distance, came = {start: 0}, {start: start}
        waiting = deque([start])
        while waiting:
            i = waiting.popleft()
            for j in self.steps.replay.index.consumers.get(i, ()):
                if j in self.bad and j not in distance:
                    distance[j], came[j] = distance[i] + 1, i
                    waiting.append(j)
        return distance, came

    def _deliberate(self, born: Born) -> Born:
        """An infinity that the program wrote or was given (a mask) is no fault where it stands, but where it becomes NaN."""
        if born.cause.kind not in ("literal", "data") or self.bad[born.node] == "nan":
            return born
        came, goals = self.path(born.node)[1], self.goals(born.node)
        for i in [step for goal in goals for step in self._back(goal, came)]:
            cause = cause_of(self.tape, self.tape.nodes[i])
            if self.bad[i] == "nan" and cause is not None and not cause.fresh:
                return Born(i, cause)
        return born

    def goals(self, start: int) -> list[int]:
        """The parameters and losses that the value of node `start` reaches, nearest first."""
        distance, _ = self.path(start)
        return sorted((i for i in distance if i in self.updates or i in self.losses), key=lambda i: (distance[i], i))

    def way(self, start: int, goal: int) -> list[int]:
        """The nodes that the non-finite value passes from `start` to `goal`, both included."""
        return self._back(goal, self.path(start)[1])

    def turns(self, index: int) -> bool:
        """Whether an infinity becomes NaN at a node."""
        cause = cause_of(self.tape, self.tape.nodes[index]) if self.bad.get(index) == "nan" else None
        return cause is not None and not cause.fresh

    def _back(self, goal: int, came: dict[int, int]) -> list[int]:
        """The nodes on the way to the goal, from its start."""
        way = [goal]
        while came[way[-1]] != way[-1]:
            way.append(came[way[-1]])
        return way[::-1]

    def birth(self, born: Born) -> Birth:
        """The birth with its chain, its operands and its reasons."""
        born = self._deliberate(born)
        node = self.tape.nodes[born.node]
        distance, came = self.path(born.node)
        goals = self.goals(born.node)
        chain = [*self._changes(goals, came), *self._goals(goals)]
        shape = np.shape(node.value)
        sample, record = self._sample(born, shape)
        return Birth(
            span=span_of_node(node),
            expression=node.site.span.text if node.site else self.namer(node.index) or "?",
            cause=born.cause,
            operands=tuple(self._operands(born, shape)),
            because=tuple(self._because(born, shape)),
            sample=sample,
            record=record,
            chain=chain,
            hidden_by=None if goals else self._hidden(distance),
            how_found="record",
            node=born.node,
            arrays=self._arrays(node),
        )

    def _changes(self, goals: list[int], came: dict[int, int]) -> list[Link]:
        """On the way to each goal: where an infinity became NaN."""
        found: dict[int, Link] = {}
        for i in dict.fromkeys(i for goal in goals for i in self._back(goal, came)[1:]):
            node = self.tape.nodes[i]
            cause = cause_of(self.tape, node) if self.bad[i] == "nan" and node.site is not None else None
            if cause is not None and not cause.fresh:
                assert node.site is not None
                found[i] = Link(node.site.span, self._after(i), "becomes", "nan", cause.text)
        return [found[i] for i in sorted(found)]

    def _after(self, index: int) -> str:
        """The name of the value, or of the first named value that is made of it."""
        for _ in range(6):
            name = self.namer(index)
            if name:
                return name
            following = [j for j in self.steps.replay.index.consumers.get(index, ()) if j in self.bad]
            if not following:
                return ""
            index = following[0]
        return ""

    def _goals(self, goals: list[int]) -> list[Link]:
        links = []
        for i in goals:
            update, node = self.updates.get(i), self.tape.nodes[i]
            name = (update.binding.name if update and update.binding else self.losses.get(i)) or self.namer(i) or "a parameter"
            role = "loss" if i in self.losses and np.size(node.value) == 1 and looks_like_loss(name) else "parameter"
            if node.site is not None:
                links.append(Link(node.site.statement_span, name.removeprefix("self."), role, self.bad[i]))  # type: ignore[arg-type]
        return list({link.name: link for link in reversed(links)}.values())[::-1]

    def _hidden(self, reached: Iterable[int]) -> Span | None:
        """The call that put a finite number in the place of the value, where what it made goes on to a parameter."""
        news = {u.new for u in self.changes}
        for i in reached:
            for j in self.steps.replay.index.consumers.get(i, ()):
                node = self.tape.nodes[j]
                hides = j not in self.bad and operation_name(node) in HIDING
                if hides and node.site is not None and news & self.steps.replay.index.descendants([j]):
                    return node.site.span
        return None

    def _because(self, born: Born, shape: tuple[int, ...]) -> list[str]:
        node = self.tape.nodes[born.node]
        operands = operands_of(self.tape, node)
        texts = syntax_operands(node.site.node) if node.site else []
        known = list(self.namer.all_named(born.node))
        made_of = []
        for position, (index, _) in enumerate(operands):
            text = texts[position] if len(texts) == len(operands) else None
            made_of.append(self.namer.sources(index, text))
        return list(dict.fromkeys(explain(made_of, born.cause, shape, known)))

    def _operands(self, born: Born, shape: tuple[int, ...]) -> list[tuple[str, object]]:
        node = self.tape.nodes[born.node]
        operands = operands_of(self.tape, node)
        found: list[tuple[str, object]] = []
        for position, number in enumerate(born.cause.operands):
            if number is None or position >= len(operands):
                continue
            index = operands[position][0]
            inner = self.tape.nodes[index] if index is not None else None
            text = inner.site.span.text if inner is not None and inner.site and inner.kind == "op" else None
            name = (self.namer(index) if index is not None else None) or text
            if name:
                found.append((name, number))
        return found

    def _arrays(self, node: Node) -> dict[str, object]:
        found: dict[str, object] = {}
        operands = operands_of(self.tape, node)
        texts = syntax_operands(node.site.node) if node.site else []
        for position, (index, _) in enumerate(operands):
            text = texts[position] if len(texts) == len(operands) else None
            for name, item in self.namer.sources(index, text):
                if as_numbers(item) is not None:
                    found[name] = np.array(item)
        return found

    def _sample(self, born: Born, shape: tuple[int, ...]) -> tuple[int | None, int | None]:
        """The sample as a row of the batch, and as a row of the data set where a slice or an index array tells it."""
        if not born.cause.index:
            return None, None
        changed = {i for u in self.changes for i in (u.old, u.new)}
        data = [
            (self.namer(n.index) or "", n.value)
            for n in self.tape.nodes
            if isinstance(n.value, np.ndarray) and n.value.ndim and n.index not in changed
            and (n.kind == "leaf" or operation_name(n) == "getitem")
        ]  # fmt: skip
        avoid = {d for i in changed for d in np.shape(self.tape.nodes[i].value)}
        axis = batch_axis(shape, [(n, v) for n, v in data if n], avoid)
        if axis is None:
            return None, None
        sample = born.cause.index[axis]
        return sample, self._record(born.node, shape[axis], sample)

    def _record(self, before: int, size: int, sample: int) -> int | None:
        """Row `sample` of the batch in the data set that the batch was cut from."""
        for node in reversed(self.tape.nodes[:before]):
            if operation_name(node) != "getitem" or node.kind != "op" or not isinstance(node.args[0], Ref):
                continue
            source = self.tape.nodes[node.args[0].index]
            if source.kind != "leaf" or not isinstance(source.value, np.ndarray) or size not in np.shape(node.value):
                continue
            key = node.args[1]
            for axis, part in enumerate(key if isinstance(key, tuple) else (key,)):
                row = self._row(part, source.value.shape[axis], size, sample)
                if row is not None:
                    return row
        return None

    def _row(self, key: object, length: int, size: int, sample: int) -> int | None:
        if isinstance(key, slice) and not any(isinstance(p, Ref) for p in (key.start, key.stop, key.step)):
            rows = range(*key.indices(length))
            return rows[sample] if len(rows) == size != length else None
        value = self.tape.nodes[key.index].value if isinstance(key, Ref) else key
        if (
            isinstance(value, (list, np.ndarray))
            and np.ndim(value) == 1
            and len(value) == size
            and np.asarray(value).dtype.kind in "iu"
        ):
            return int(np.asarray(value)[sample])
        return None


def _from_outside(node: Node, namer: Namer) -> Cause:
    """A value that was non-finite before any operation that was seen: data, or a number in the program."""
    array = as_numbers(node.value)
    index = None if array is None else first_index(~np.isfinite(array))
    name = namer(node.index)
    number = "" if array is None or index is None else shown(array[index])
    number = {"nan": "NaN"}.get(number, number)
    where = f"`{name}[{', '.join(map(str, index))}]`" if name and index else f"`{name}`" if name else "the value"
    kind = "data" if node.kind == "leaf" and array is not None and array.ndim else "literal"
    return Cause(kind, f"{where} is {number}" if kind == "data" else f"{number} written there", index, (), True)
