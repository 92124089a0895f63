"""The updates on a tape: places (a variable, a slot, a buffer) that held `old` and now hold old +- something of its shape."""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Collection, Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from .algebra import ADD, COPY, SUB, Algebra, Term, is_any
from .buffers import Augment, Into
from .replay import Replay
from .roles import by_role, grown
from .tape import Binding, Node, Ref, Site


@dataclass(frozen=True, slots=True)
class Update:
    """One change of a value at its place: `new` = `old` + sum of `terms`, at `site`. `binding` names the place, if any."""

    old: int
    new: int
    terms: tuple[Term, ...]
    site: Site | None
    binding: Binding | None
    self_factor: float = 1.0


class Steps:
    """The updates on a tape, in order, and the borders they draw between one step and the next."""

    def __init__(self, replay: Replay) -> None:
        self.replay = replay
        self.tape = replay.tape
        self.algebra = Algebra(replay)
        self._only_own: dict[tuple[int, int], Update] = {}  # filled on the way to `updates`
        self._accumulates: dict[tuple[int, int], bool] = {}

    @cached_property
    def updates(self) -> list[Update]:
        """Every change of a value at its place that has the form old +- something, in order."""
        found: dict[tuple[int, int], Update] = {}
        made: set[int] = set()  # new versions of places: the sums they are made by are not those of other updates
        previous: dict[Hashable, int] = {}
        for binding in self.tape.bindings:
            if binding.node is None:
                previous.pop(binding.place, None)
                continue
            old = previous.get(binding.place)
            if binding.how == "augmented" and old is None:
                old = self._augmented(binding.node)
            if old is not None and old != binding.node and binding.how != "argument":  # a call has variables of its own
                update = self._as_update(old, binding.node, binding, made)
                if update is not None:
                    found.setdefault((update.old, update.new), update)
                    made.add(update.new)
            previous[binding.place] = binding.node
        for node in self.tape.nodes:
            if node.kind == "write":
                update = self._as_write(node)
                if update is not None and (update.old, update.new) not in found:
                    names = self.replay.index.names.get(node.index, ())
                    name = next((b for b in names if b.how in ("assign", "augmented")), None)
                    found[update.old, update.new] = replace(update, binding=name)
        for update in by_role(self, {old for old, _ in found} | {new for _, new in found}):
            found.setdefault((update.old, update.new), update)
        return sorted((u for u in found.values() if not self._has_fields(u.new)), key=lambda u: u.new)

    def _has_fields(self, index: int) -> bool:
        """Whether a value is a structured array, which no arithmetic is defined for."""
        return getattr(self.tape.nodes[index].value, "dtype", np.dtype(float)).kind == "V"

    @property
    def only_own(self) -> list[Update]:
        """The changes of a value by multiples of itself alone: `b -= lr * b`. Their term is that multiple."""
        known = {(u.old, u.new) for u in self.updates}
        found = []
        for key, update in self._only_own.items():
            scaled = [t for t in update.terms if self.replay.canonical[t.node] != self.replay.canonical[update.old]]
            if key not in known and len(scaled) == 1 and len(update.terms) == 2:
                found.append(replace(update, terms=(scaled[0],)))
        return found

    def _augmented(self, index: int) -> int | None:
        """What `x += e` changed, where x is a number that nothing had named before."""
        node = self.tape.nodes[index]
        first = node.args[0] if node.kind == "op" and node.args else None
        return first.index if isinstance(first, Ref) and is_any(node.op, ADD | SUB) else None

    def _as_update(self, old: int, new: int, binding: Binding, made: Collection[int]) -> Update | None:
        node = self.tape.nodes[new]
        if node.kind == "write":
            update = self._as_write(node)
            return None if update is None else Update(update.old, new, update.terms, node.site, binding)
        if _shape(node.value) != _shape(self.tape.nodes[old].value) and not grown(self.tape.nodes[old].value, node.value):
            return None
        terms = self.algebra.terms(new, whole={old, self.replay.canonical[old]}, made=made)
        return self.from_terms(old, new, terms, node.site, binding)

    def from_terms(self, old: int, new: int, terms: list[Term], site: Site | None, binding: Binding | None) -> Update | None:
        canon = self.replay.canonical
        same: list[Term] = []
        rest: list[Term] = []
        self_factor = 0.0
        for term in terms:
            stripped = self.algebra.all_scalings(term.node)[-1]
            if canon[term.node] == canon[old] or self._looks_at(term.node, old):
                same.append(term)
                self_factor += term.factor
            elif (canon[stripped.node] == canon[old] or self._looks_at(stripped.node, old)) and stripped.factors:
                same.append(term)
                self_factor += term.factor * stripped.product
            else:
                rest.append(term)
        if same and not rest and site is not None:
            self._only_own.setdefault((old, new), Update(old, new, tuple(same), site, binding, self_factor))
        if not same or not rest:
            return None
        return Update(old, new, tuple(rest), site, binding, self_factor)

    def _looks_at(self, index: int, buffer: int) -> bool:
        node = self.tape.nodes[index]
        return (
            node.kind in ("view", "op")
            and bool(node.args)
            and isinstance(node.args[0], Ref)
            and self.replay.canonical[node.args[0].index] == self.replay.canonical[buffer]
            and (node.kind == "view" or is_any(node.op, {operator.getitem, np.asarray, np.array, np.copy}) or node.op == COPY)
        )

    def _as_write(self, node: Node) -> Update | None:
        """A change in place as an update: `W -= e`, `W[k] += e`, `W[:] = W - e`, `np.subtract(W, e, out=W)`."""
        old = node.args[0].index
        operands = [a for a in node.args[3:] if isinstance(a, Ref)]
        if not operands:
            return None
        inner = getattr(node.op, "op", None) or getattr(node.op, "function", None)
        if isinstance(node.op, Into):
            return self._as_into(node, old, inner, operands)
        if isinstance(node.op, Augment) or is_any(inner, {np.add.at, np.subtract.at}):
            sign = -1.0 if is_any(inner, SUB) or inner == np.subtract.at else 1.0 if is_any(inner, ADD | {np.add.at}) else None
            return None if sign is None else self._as_augment(node, old, Term(sign, operands[-1].index))
        terms = self.algebra.terms(operands[-1].index)
        if any(self._is_elsewhere(t.node, node) for t in terms):
            return None  # `x[k + 1] = x[k] + e`: one place of a buffer is made of another
        return self.from_terms(old, node.index, terms, node.site, None)

    def _is_elsewhere(self, index: int, write: Node) -> bool:
        """Whether a value is read from the buffer that is written to, at another key."""
        node = self.tape.nodes[index]
        if node.kind != "op" or not is_any(node.op, {operator.getitem}) or write.args[1] is not None:
            return False
        key, written = node.args[1], write.args[2]
        own = isinstance(node.args[0], Ref) and self._version(node.args[0].index) == self._version(write.args[0].index)
        return own and _is_plain(key) and _is_plain(written) and key != written

    def _version(self, index: int) -> int:
        """The first version of a buffer."""
        while self.tape.nodes[index].kind == "write":
            index = self.tape.nodes[index].args[0].index
        return self.replay.canonical[index]

    def _as_augment(self, node: Node, old: int, term: Term) -> Update | None:
        """`W -= e`, where a multiple of `W` in `e` (a weight decay) is the value's own."""
        terms = self.algebra.terms(term.node, term.factor)
        split = self.from_terms(old, node.index, [Term(1.0, old), *terms], node.site, None)
        if split is None or len(split.terms) < len(terms):
            return split
        return Update(old, node.index, (term,), node.site, None)

    def _as_into(self, node: Node, old: int, inner: Any, operands: list[Ref]) -> Update | None:
        if len(operands) != 2 or not is_any(inner, ADD | SUB):
            return None
        sign = -1.0 if is_any(inner, SUB) else 1.0
        terms = self.algebra.terms(operands[0].index) + self.algebra.terms(operands[1].index, sign)
        return self.from_terms(old, node.index, terms, node.site, None)

    def beginning(self, index: int) -> int:
        """What a value was before all updates that led to it."""
        canon = self.replay.canonical
        while (update := self.by_new.get(canon[index])) is not None and canon[update.old] < canon[index]:
            index = update.old
        return index

    @cached_property
    def heirs(self) -> dict[int, int]:
        """The copies that are changed in place of what they copy, with that: no update is made of it any more."""
        copies: dict[int, list[int]] = {}
        for i in sorted({u.old for u in self.updates}):
            original = self._same_as(i)
            if original is not None:
                copies.setdefault(original, []).append(i)
        return {made[0]: i for i, made in copies.items() if len(made) == 1 and not self._is_used(i, made[0])}

    def _same_as(self, index: int) -> int | None:
        """The one value that a value was made of and is equal to: `W.copy()`, `np.array(W)`, `W[:]`."""
        node = self.tape.nodes[index]
        inputs = list(node.inputs()) if node.kind in ("op", "view") else []
        if len(inputs) != 1 or self.replay.canonical[inputs[0]] == self.replay.canonical[index]:
            return None
        value, original = np.asarray(node.value), np.asarray(self.tape.nodes[inputs[0]].value)
        return inputs[0] if value.dtype.kind == "f" and np.array_equal(value, original) else None

    def _is_used(self, original: int, after: int) -> bool:
        """Whether an update is made of what reads a value after the node `after`."""
        later = [i for i in self.replay.index.consumers[original] if i > after]
        return bool(later) and bool(self.replay.downstream(later) & self.by_new.keys())

    @cached_property
    def by_new(self) -> dict[int, Update]:
        """The updates by the canonical node they make."""
        return {self.replay.canonical[u.new]: u for u in self.updates}

    @cached_property
    def new_values(self) -> set[int]:
        """The canonical nodes that updates make: the borders between one step and the next.

        A sum that starts from zero within its step (a gradient over samples, over time) is no border.
        """
        return {i for i, u in self.by_new.items() if not self.is_accumulator(u)}

    def is_accumulator(self, state: Update) -> bool:
        """Whether a sum starts from zero in its step: a loss, the gradient of a batch, summed over samples or time."""
        passed: list[tuple[int, int]] = []
        found = self._sums_from_zero(state, passed)
        self._accumulates.update(dict.fromkeys(passed, found))
        return found

    def _sums_from_zero(self, state: Update, passed: list[tuple[int, int]]) -> bool:
        """Whether the sum begins at zero; `passed` are the sums on the way, of which the same is true."""
        if state.self_factor != 1.0:
            return False
        base, last, seen = state.old, state.new, set()
        while base not in seen:
            seen.add(base)
            if (base, last) in self._accumulates:
                return self._accumulates[base, last]
            passed.append((base, last))
            previous = self.by_new.get(self.replay.canonical[base])
            if self._is_read(base, last):
                return False
            if previous is not None and previous.self_factor == 1.0:
                base, last = previous.old, previous.new
            elif previous is None and self._adds_constant(base):
                base, last = self.tape.nodes[base].args[0].index, base
            else:
                break
        node = self.tape.nodes[base]
        from_zero = node.kind == "op" and is_any(node.op, ADD) and any(type(a) in (int, float) and a == 0 for a in node.args)
        return from_zero or not np.any(np.asarray(node.value))

    def _adds_constant(self, index: int) -> bool:
        node = self.tape.nodes[index]
        return node.kind == "write" and isinstance(node.op, Augment) and is_any(node.op.op, ADD | SUB)

    @cached_property
    def begun_anew(self) -> set[int]:
        """The canonical values that places become which begin at zero again and again: such sums are no parameters."""
        begun: dict[Hashable, set[int]] = defaultdict(set)
        made: dict[Hashable, set[int]] = defaultdict(set)
        for u in self.updates:
            if u.binding is not None and u.self_factor == 1.0:
                made[u.binding.place].add(self.replay.canonical[u.new])
                if u.old not in self.by_new and self.replay.canonical[u.old] not in self.by_new:
                    begun[u.binding.place].add(u.old)
        zero = (p for p, nodes in begun.items() if len(nodes) > 1 and not any(np.any(self.tape.nodes[i].value) for i in nodes))
        return set().union(*(made[p] for p in zero))

    def _is_read(self, version: int, heir: int) -> bool:
        """Whether anything but the next version of a sum, or what that one is summed from, reads a version of it."""
        anew = self.replay.canonical[heir] in self.begun_anew
        canon, consumers = self.replay.canonical, self.replay.consumers
        stack, seen = [canon[version]], set()
        while stack:
            for i in consumers.get(stack.pop(), ()):
                if i in seen or i == canon[heir] or self.tape.nodes[i].kind == "view":
                    continue
                seen.add(i)
                if i > heir or not (anew or is_any(self.tape.nodes[i].op, ADD)) or not consumers.get(i):
                    return True
                stack.append(i)
        return False


def _is_plain(key: Any) -> bool:
    """Whether a key is made of numbers as they are, so that keys can be compared."""
    return all(isinstance(k, (int, np.integer)) for k in (key if isinstance(key, tuple) else (key,)))


def _shape(value: Any) -> tuple[int, ...]:
    return np.shape(value)
