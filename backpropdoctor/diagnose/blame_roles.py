"""Roots by the role of each value: from a wrong gradient back, each statement held against what it received."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ..checks.cotangents import Paired
from ..checks.gradients import Measured
from ..source import Span
from ..tape.adjoint import Claim, Tensor, close, squeezed
from ..tape.tape import Site
from .blame_values import Values


@dataclass(slots=True)
class Root:
    """One statement that makes a wrong value from right ones (or from what it really received).

    `node` is the wrong value it makes, `target` the forward value it should be the adjoint of (None where unknown),
    `ratio` the wrong value over the right one where they are parallel; `received` the cotangents it was made from;
    `tensors` the parameters whose own gradient statement this is; `affects` all that is wrong because of it. `sure` says
    that the value alone, an array, accounts for these: no root before it does; `left_out` is the call of the forward pass
    whose share is in none of them.
    """

    site: Site
    node: int
    target: int | None
    ratio: float | None
    received: list[Paired] = field(default_factory=list)
    tensors: list[str] = field(default_factory=list)
    affects: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    instances: list[int] = field(default_factory=list)
    sure: bool = False
    left_out: Site | None = None

    @property
    def span(self) -> Span:
        return self.site.statement_span


class Roles(Values):
    """The roots of single gradients."""

    def make_root(self, node: int, target: int | None) -> Root:
        """A root at the statement that makes `node`."""
        return self._root(node, target)

    def _names_of_result(self, node: int, site: Site) -> list[str]:
        """The names that a statement gives to what it makes of a value inside it."""
        level, found = [node], list[str]()
        while level and not found:
            following = [c for i in level for c in self.replay.index.consumers.get(i, ())]
            level = [c for c in following if (made := self.nodes[c].site) is not None and made.statement is site.statement]
            found = [b.name for c in level for b in self.cotangents.names(c) if b.how in ("assign", "augmented")]
        return found

    def _final(self, m: Measured) -> set[int]:
        return {self.replay.canonical[i] for i in m.held.claim.gradient_nodes}

    def _roots_of(self, m: Measured) -> list[Root]:
        roots: list[Root] = []
        for node, tensor_node in self._wrong_parts(m):
            suspects = self._suspects(node)
            statements = self._statements(suspects | {node})
            if not statements:
                continue
            roots += self._separate(node, tensor_node, suspects | {node}, statements)
        return roots

    def _wrong_parts(self, m: Measured) -> list[tuple[int, int]]:
        canon = self.replay.canonical
        parts = []
        for node, terms in zip(m.held.tensor.nodes, m.held.claim.terms, strict=True):
            claim = Claim(Tensor("", (node,)), (terms,))
            if len(m.held.tensor.nodes) > 1:
                ratio = self.adjoints.ratio(claim, self.objective)
                if ratio is not None and (ratio.right or self.is_shared(ratio)):
                    continue
            parts += [(canon[t.node], node) for t in terms if canon[t.node] != canon[node]]
        return parts

    def _suspects(self, node: int) -> set[int]:
        """The backward nodes from which a wrong value is made, up to the right ones."""
        found: set[int] = set()
        stack = [node]
        while stack:
            for i in self.replay.inputs(stack.pop()):
                if i in self.cotangents.backward and i not in found and not self._is_clear(i):
                    found.add(i)
                    stack.append(i)
        return found

    def _statements(self, suspects: Iterable[int]) -> list[tuple[Site, list[int]]]:
        """The suspects grouped by the statement that made them, in order; mere factors of a cotangent left out."""
        suspects = sorted(suspects)
        seeded = [i for i in suspects if self._depends_on_right(i)] or suspects
        groups: dict[tuple[int, int, int], tuple[Site, list[int]]] = {}
        for i in seeded:
            site = self.nodes[i].site
            if site is None:
                continue
            span = site.statement_span
            key = (hash(span.path), span.line, span.column)
            groups.setdefault((*key,), (site, []))[1].append(i)
        return sorted(groups.values(), key=lambda g: g[1][0])

    def _separate(
        self, node: int, tensor_node: int, suspects: set[int], statements: list[tuple[Site, list[int]]]
    ) -> list[Root]:
        """Which of the suspect statements are roots: from the gradient back, each held against what it received."""
        roots: list[Root] = []
        current, target = node, tensor_node
        while True:
            below = self._received_suspects(current, suspects)
            if not below:
                roots.append(self._root(current, target))
                return roots
            roles = [(i, self._role(i, current, target)) for i in below]
            known = [(i, r) for i, r in roles if r is not None]
            if not known:
                known = [(i, (self._roles[i], True)) for i in below if i in self._roles]
                if not known:
                    return roots + self._ambiguous(current, target, below)
                roots.append(self._root(current, target))
            for i, role in known:
                self._roles.setdefault(i, role[0])
            if not all(role[1] for _, role in known):  # the step to `current` is off by a factor of its own
                roots.append(self._root(current, target))
            for i, role in known[1:]:
                roots += self._separate(i, role[0], suspects & (self._suspects(i) | {i}), statements)
            current, target = known[0][0], known[0][1][0]

    def _received_suspects(self, node: int, suspects: set[int]) -> list[int]:
        """The nearest wrong values made by *other statements* that a value was made from."""
        home = self._home(node)
        found, seen, stack = [], {node}, [node]
        while stack:
            for i in self.replay.inputs(stack.pop()):
                if i in seen or i not in suspects:
                    continue
                seen.add(i)
                if self._home(i) != home and self._depends_on_right(i):
                    found.append(i)
                else:
                    stack.append(i)
        return sorted(found, reverse=True)

    def _role(self, i: int, node: int, target: int) -> tuple[int, bool] | None:
        """The forward value of which `node` takes `i` to be the adjoint, and whether the step agrees in scale.

        That is: with `i` as the adjoint of that value, `node` is the right vector-Jacobian product for `target`.
        """
        key = (i, node, target)
        if key not in self._taken_for:
            self._taken_for[key] = self._found_role(i, node, target)
        return self._taken_for[key]

    def _found_role(self, i: int, node: int, target: int) -> tuple[int, bool] | None:
        shape = squeezed(np.shape(self.nodes[i].value))
        received = self._received_right(node)
        fits: tuple[int, bool] | None = None
        for candidate in self.moves.below(target):
            if candidate == target or squeezed(np.shape(self.nodes[candidate].value)) != shape:
                continue
            ratio = self._local_ratio(node, target, [Paired(i, candidate, 1.0), *received])
            if ratio is not None and close(abs(ratio), 1.0) and ratio > 0:
                return candidate, True
            if ratio is not None and fits is None and ratio > 0:
                fits = (candidate, self._usual(ratio))
        return fits

    def _ambiguous(self, current: int, target: int, below: list[int]) -> list[Root]:
        """No reading of what was received makes this step right: it is a root, and so may be what made its input."""
        first = min(below)
        deeper = [i for i in self._suspects(first) if self._depends_on_right(i) and self._home(i) != self._home(first)]
        earliest = min([first, *deeper])
        roots = [self._root(earliest, None)]
        if self._named_target(first) is not None:
            known = self._named_target(first)
            assert known is not None
            ratio = self._local_ratio(current, target, [Paired(first, known, 1.0), *self._received_right(current)])
            if ratio is None:
                roots.append(self._root(current, target))
        return roots

    def _root(self, node: int, target: int | None) -> Root:
        site = self.made_at(node)
        assert site is not None
        ratio = None
        if target is None:
            target = self._named_target(node)
        if target is not None:
            received = self._received_right(node)
            ratio = self._local_ratio(node, target, received) if received else None
            if ratio is None:
                whole = self.cotangents.ratio(node, target)
                ratio = whole.value if whole is not None and not whole.zero else None
        bound = [b for b in self.cotangents.names(node) if b.how in ("assign", "augmented")]
        names = [b.name for b in sorted(bound, key=lambda b: b.site.statement_span != site.statement_span)]
        names = names or self._names_of_result(node, site)
        return Root(site, node, target, ratio, self._received_right(node), names=names)
