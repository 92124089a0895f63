"""Steps that stand among the updates of parameters and are made of no gradient, or take the place of the value.

A parameter is known by its update being made of it. `b -= lr * c` is not; but where it stands beside `W -= lr * dW`, with
the same learning rate, and the backward pass is made of `b`, then `c` is taken for its gradient. Whether that is wrong is
measured: these are claims, dropped again where the loss does not depend on the value, or no other gradient is right.
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..tape.algebra import Scaling, Term
from ..tape.steps import Update
from ..tape.tape import Binding, Site
from .conventions import is_gradient_of, is_learning_rate

if TYPE_CHECKING:
    from .updated import Updated

Evidence = Literal["update", "company", "replaced"]
Factor = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Claimed:
    """An update that claims a gradient by the company it keeps, and the updates it stands beside."""

    update: Update
    evidence: Evidence
    start: int


class Company:
    """The steps beside those that were `found` to be updates of parameters."""

    def __init__(self, updated: Updated, found: Sequence[tuple[Update, int]]) -> None:
        self.updated = updated
        self.steps = updated.steps
        self.nodes = updated.nodes
        self.canon = updated.canon
        self.found = [u for u, _ in found if u.site is not None]
        self.known = {self.canon[i] for u, o in found for i in (u.old, u.new, o)}
        self.places = {updated.place(u) for u, _ in found}
        self._borders = {self.canon[u.new] for u in self.found}
        self._above: dict[tuple[int, ...], set[int]] = {}  # what the gradients of some updates are made of

    @cached_property
    def starts(self) -> list[int]:
        return sorted({self.updated.starts[u.new] for u in self.found})

    def claims(self) -> list[Claimed]:
        """The claims, in order; of two for one value in one step neither is one."""
        found: dict[int, Claimed] = {}
        several: set[int] = set()
        for update, evidence in self._changes():
            old = self.canon[update.old]
            if old in self.known or self.canon[update.new] in self.known or self.updated.place(update) in self.places:
                continue
            beside = self._beside(update)
            if not beside or not self._is_read(update, beside):
                continue
            several |= {old} & set(found)
            found[old] = Claimed(update, evidence, self.updated.starts[beside[0].new])
        return [c for old, c in sorted(found.items(), key=lambda item: item[1].update.new) if old not in several]

    def _changes(self) -> Iterator[tuple[Update, Evidence]]:
        """The updates that do not depend on their value, what only shrinks it, and what takes its place."""
        for update in self.steps.updates:
            if update.self_factor == 1.0 and not self.steps.is_accumulator(update):
                yield update, "company"
        for update in self.steps.only_own:
            if self._is_bare(update) or self._called_gradient(update) is not None:
                yield update, "company"
        known = {(u.old, u.new) for u in (*self.steps.updates, *self.steps.only_own)}
        for binding, old in self._rebound():
            new = binding.node
            if new is not None and (old, new) not in known and self.nodes[new].site is not None:
                terms = self._from_another(old, new)
                yield Update(old, new, terms or (Term(1.0, new),), self.nodes[new].site, binding, 0.0), "replaced"

    def _from_another(self, old: int, new: int) -> tuple[Term, ...]:
        """The step of a value that starts from another parameter in place of the one before: `b = W - lr * db`."""
        terms = self.steps.algebra.terms(new)
        others = {self.canon[u.old] for u in self.found} - {self.canon[old]}
        start = [t for t in terms if self.canon[t.node] in others and t.factor == 1.0]
        return tuple(t for t in terms if t not in start) if len(start) == 1 and len(terms) == 2 else ()

    def _rebound(self) -> Iterator[tuple[Binding, int]]:
        """The bindings that give a place a new value of the same shape, with the one it had."""
        held: dict[object, int] = {}
        for b in self.steps.tape.bindings:
            if b.node is None or b.how == "loop":
                continue
            old = held.get(b.place)
            if b.how == "assign" and old is not None and old != b.node and self._is_alike(old, b.node):
                yield b, old
            held[b.place] = b.node

    def _is_alike(self, old: int, new: int) -> bool:
        a, b = self.nodes[old].value, self.nodes[new].value
        return np.shape(a) == np.shape(b) and np.asarray(a).dtype.kind == "f" and self.nodes[new].kind == "op"

    # ---- which updates a step stands beside ------------------------------------------------------------------------------

    def _beside(self, update: Update) -> list[Update]:
        """The updates of parameters of the same step, in the same block, by the same learning rate and no more."""
        site, factors = update.site, self._rates(update)
        if site is None:
            return []
        in_step = self._in_step.get(self._number(update.new), [])
        stays = self.canon[self.steps.algebra.all_scalings(update.terms[0].node)[-1].node] == self.canon[update.old]
        is_zero = not np.any(np.asarray(self.nodes[update.terms[0].node].value))
        if not stays and is_zero and not self._is_summed_up(update):
            return [u for u in in_step if _are_one(u.site, site)] if self._is_never_made(update) else []
        sites = ((u, u.site) for u in in_step if u.site is not None)
        beside = [u for u, s in sites if _stand_together(s, site) or (stays and _in_methods_of_one_name(s, site))]
        return [u for u in beside if factors and self._found_rates[u.new] == factors]

    def _is_summed_up(self, update: Update) -> bool:
        """Whether a step goes by what is called its gradient, and something was added to that."""
        held = self._called_gradient(update)
        return held is not None and self.canon[held.node] in self.steps.by_new

    def _is_never_made(self, update: Update) -> bool:
        """Whether what a step goes by was zero before the step's forward pass, or is zero of itself, and nothing changed it."""
        gradient = self.steps.algebra.all_scalings(update.terms[0].node)[-1].node
        above = self.updated.replay.upstream([gradient], barrier=self._borders)
        return not np.any(np.asarray(self.nodes[gradient].value)) and not above & self.known

    @cached_property
    def _in_step(self) -> dict[int, list[Update]]:
        """The updates of parameters by the number of their step."""
        steps: dict[int, list[Update]] = defaultdict(list)
        for update in self.found:
            steps[self._number(update.new)].append(update)
        return steps

    @cached_property
    def _found_rates(self) -> dict[int, frozenset[Factor]]:
        """The learning rates of the updates of parameters, by their new nodes."""
        return {u.new: self._rates(u) for u in self.found}

    def _number(self, i: int) -> int:
        return bisect_right(self.starts, i)

    def _rates(self, update: Update) -> frozenset[Factor]:
        """The factors of a step, outside of a variable called the gradient, that are learning rates by name; else all named.

        Numbers that the user wrote are learning rates before a variable that is called the gradient.
        """
        if len(update.terms) != 1:
            return frozenset()
        held = self._called_gradient(update)
        chain = self.steps.algebra.all_scalings(update.terms[0].node) if held is None else [held]
        named = {f for s in chain for f in s.factors if not _is_number(f[1]) or (held is not None and f[1] != "-1")}
        rates = frozenset(f for f in named if is_learning_rate(f[1]))
        return rates or frozenset(named)

    def _is_bare(self, update: Update) -> bool:
        """Whether a value is scaled down by a learning rate and nothing else: a decay has a rate of its own besides."""
        chain = self.steps.algebra.all_scalings(update.terms[0].node)
        return {f for f in chain[-1].factors if f[1] != "-1"} == self._rates(update)

    def _called_gradient(self, update: Update) -> Scaling | None:
        """What of a step a variable holds that is called the gradient of the value."""
        names = self.updated.replay.index.names
        own = {b.parts for b in names.get(update.old, ())} | ({update.binding.parts} if update.binding else set())
        for s in self.steps.algebra.all_scalings(update.terms[0].node):
            held = {b.parts for b in names.get(s.node, ())} - own
            if any(is_gradient_of(g, p) for g in held for p in own):
                return s
        return None

    def _is_read(self, update: Update, beside: Sequence[Update]) -> bool:
        """Whether the gradients beside a step are made of the value before it, and none is made of the one after it."""
        key = tuple(u.new for u in beside)
        if key not in self._above:
            terms = [t.node for u in beside for t in u.terms]
            self._above[key] = self.updated.replay.upstream(terms, barrier=self._borders)
        above = self._above[key]
        return self.canon[update.old] in above and self.canon[update.new] not in above


def _stand_together(one: Site, other: Site) -> bool:
    """Whether two statements stand in one block, or on one line, or are the same in methods of one name, a layer's each."""
    a, b = one.statement_span, other.statement_span
    if a.path == b.path and one.function == other.function:
        return a.column == b.column or a.line == b.line
    return _in_methods_of_one_name(one, other) and _text(one.statement) == _text(other.statement)


def _in_methods_of_one_name(one: Site, other: Site) -> bool:
    """Whether two statements stand in methods of one name, a layer's each."""
    a, b = one.function.rpartition("."), other.function.rpartition(".")
    return bool(a[1] and b[1]) and a[2] == b[2]


@lru_cache(maxsize=4096)
def _text(statement: ast.stmt) -> str:
    return ast.unparse(statement)


def _are_one(one: Site | None, other: Site) -> bool:
    """Whether two sites are of one statement: that of a loop over all parameters."""
    return one is not None and one.statement is other.statement


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True
