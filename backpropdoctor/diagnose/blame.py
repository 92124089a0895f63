"""Blame: which statements of the backward pass made the wrong gradients, and which gradients are wrong only because of them.

Each backward value is held against the local vector-Jacobian product of the cotangents it was really made from,
<v, J u> = <J'v, u>. Where that fails the statement is a root; where it holds the value is inherited. Statements between
values that are right and a value that is wrong are the only ones that can be accused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from ..checks.cotangents import Cotangents, Paired, sign_of
from ..checks.gradients import Check, Measured
from ..source import Span
from ..tape.adjoint import SAME, Claim, Tensor, proportion, shaped
from ..tape.algebra import PRODUCTS, Term
from ..tape.replay import Objective
from ..tape.tape import Site
from .blame_choice import roots_by_cuts
from .blame_claims import roots_of_claims
from .blame_first import one_first
from .blame_reads import one_reading
from .blame_together import (
    all_uphill,
    owner,
    read_too_late,
    reading_of,
    renames,
    second_name,
    taken_for_another,
    without_inherited,
)

_STEPS = 4  # operations between a gradient and the update that it is part of


@dataclass(slots=True)
class Root:
    """One statement that makes a wrong value from right ones (or from what it really received).

    `node` is the wrong value it makes, `target` the forward value it should be the adjoint of (None where unknown),
    `ratio` the wrong value over the right one where they are parallel; `received` the cotangents it was made from;
    `tensors` the parameters whose own gradient statement this is; `affects` all that is wrong because of it.
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

    @property
    def span(self) -> Span:
        return self.site.statement_span


class Blame:
    """Finds the roots of the wrong gradients of one training step."""

    def __init__(self, check: Check) -> None:
        self.check = check
        right = [m for m in check.measured if m.verdict == "right" and m.ratio is not None and not m.ratio.zero]
        nodes = {i for m in right for i in m.held.claim.gradient_nodes}
        self.cotangents = Cotangents(check.training, check.uniform, sign_of(check.measured), nodes, fixed=check.fixed)
        self.training = check.training
        self.replay = check.training.replay
        self.adjoints = check.training.adjoints
        self.nodes = self.replay.tape.nodes
        assert check.training.loss is not None
        self.objective = check.training.loss.objective
        canon = self.replay.canonical
        self._final_terms = {canon[t.node]: terms for h in check.training.parameters for terms in h.claim.terms for t in terms}
        self._ancestors: dict[int, set[int]] = {}
        self._carriers: dict[int, bool] = {}
        self._named: dict[int, int | None] = {}
        self._roles: dict[int, int] = {}  # what a wrong backward value is used as the adjoint of, once that is known

    def roots(self) -> list[Root]:
        """The roots in the order of the backward pass, equal statements merged; [] where all is right or only scaled."""
        found: dict[tuple[str, int, int], Root] = {}
        wrong = [m for m in self.check.wrong if not self.is_uniform(m)]
        uphill = all_uphill(self, wrong)
        if uphill is not None:
            return uphill
        for root in [*self._late_roots(wrong), *self._unscaled_roots(wrong), *roots_of_claims(self, wrong)]:
            found[self.line_key(root)] = root
        late = {name for root in found.values() for name in root.affects}
        by_cuts, rest = roots_by_cuts(self, [m for m in wrong if m.held.tensor.name not in late])
        for root in by_cuts:
            kept = found.setdefault(self.line_key(root), root)
            if kept is not root:
                kept.instances += root.instances
                kept.affects += [a for a in root.affects if a not in kept.affects]
                kept.tensors += [a for a in root.tensors if a not in kept.tensors]
        for m in sorted(rest, key=lambda m: min(len(self._suspects(node)) for node in self._final(m))):
            for root in self._roots_of(m):
                self.settle_site(root, m)
                kept = found.setdefault(self.line_key(root), root)
                kept.instances.append(root.node)
                if m.held.tensor.name not in kept.affects:
                    kept.affects.append(m.held.tensor.name)
                if root.node in self._final(m) and m.held.tensor.name not in kept.tensors:
                    kept.tensors.append(m.held.tensor.name)
                if kept.ratio is not None and (root.ratio is None or not _close(kept.ratio, root.ratio)):
                    kept.ratio = None
        together = without_inherited(self, taken_for_another(self, list(found.values())))
        together = [r for r in together if not self._is_right(r, together)]
        return sorted(one_first(self, wrong, one_reading(self, wrong, together)), key=lambda r: min(r.instances))

    @staticmethod
    def line_key(root: Root) -> tuple[str, int, int]:
        """The statement of a root."""
        return root.span.path, root.span.line, root.span.column

    def _late_roots(self, wrong: list[Measured]) -> list[Root]:
        """The statements that read a parameter after its update."""
        found: dict[int, Root] = {}
        for m in wrong:
            late = read_too_late(self, m)
            if late is not None:
                if late not in found:
                    found[late] = self._root(late, None)
                    found[late].site = second_name(self, late) or found[late].site
                root = found[late]
                root.instances = [late]
                root.affects.append(m.held.tensor.name)
        return list(found.values())

    def _unscaled_roots(self, wrong: list[Measured]) -> list[Root]:
        """The update that lacks the learning rate of all others."""
        bare = [m for m in wrong if m.unscaled and m.ratio is not None]
        sites = [self.update_site(m, m.held.claim.gradient_nodes[-1]) for m in bare]
        site = next((s for s in sites if s is not None), None)
        if site is None:
            return []
        root = self._root(self.replay.canonical[bare[0].held.claim.gradient_nodes[-1]], None)
        root.site, root.ratio = site, bare[0].ratio.value if bare[0].ratio else None
        root.instances, root.affects = [root.node], [m.held.tensor.name for m in bare]
        root.tensors = list(root.affects)
        return [root]

    def home(self, node: int) -> tuple[str, int, int] | None:
        """The statement that makes a value."""
        return self._home(node)

    def usual_step(self, ratio: float) -> bool:
        """Whether a value over the local vector-Jacobian product of what it received is a factor that may be."""
        return ratio > 0 and self._usual(ratio)

    def received(self, node: int) -> list[Paired]:
        """The right cotangents that a value was made from."""
        return self._received_right(node)

    def depends_on_cotangent(self, node: int) -> bool:
        """Whether a value is made from a cotangent, and not a mere derivative."""
        return self._depends_on_right(node)

    def made_of(self, node: int) -> set[int]:
        """The backward values that a value is made of, itself included."""
        return self._above(node)

    def is_product(self, node: int) -> bool:
        """Whether a value is a matrix product, an outer product and the like."""
        op = self.nodes[node].op
        return (getattr(op, "__name__", "") or getattr(op, "name", "")) in PRODUCTS

    def may_carry(self, node: int) -> bool:
        """Whether a value may be a cotangent: made of one that is right, where there is any."""
        if not self._any_accepted:
            return True
        if node not in self._carriers:
            self._carriers[node] = self.is_adjoint(node) or any(self.is_adjoint(i) for i in self._above(node))
        return self._carriers[node]

    @cached_property
    def _any_accepted(self) -> bool:
        return any(self.accepts(i) for i in self.cotangents.paired)

    def is_adjoint(self, node: int) -> bool:
        """Whether a backward value, a gradient or not, is the adjoint of some forward value."""
        pair = self.cotangents.paired.get(node)
        sign, scale = self.cotangents.sign, self.cotangents.scale or 1.0
        if pair is None or not any(_close(pair.ratio, sign * r) for r in (abs(scale), 1.0, self.check.uniform)):
            return False
        return node in self.cotangents.gradients or not self._belies_its_name(pair, scale)

    def _is_right(self, root: Root, roots: list[Root]) -> bool:
        """Whether what a root makes is right by all that is known, and others account for all that is wrong."""
        others = {t for r in roots if r is not root for t in r.affects}
        return root.ratio is not None and _close(root.ratio, 1.0) and not root.tensors and set(root.affects) <= others

    @property
    def cleared(self) -> set[int]:
        """What right gradients are made of."""
        return self._cleared

    def make_root(self, node: int, target: int | None) -> Root:
        """A root at the statement that makes `node`."""
        return self._root(node, target)

    def named_target(self, node: int) -> int | None:
        """The forward value that the name of a backward value says it belongs to."""
        return self._named_target(node)

    def local_ratio(self, node: int, target: int, received: list[Paired]) -> float | None:
        """A backward value over the local vector-Jacobian product of what it received, where they are parallel."""
        return self._local_ratio(node, target, received)

    def usual(self, ratio: float) -> bool:
        """Whether a factor between a cotangent and a gradient is one that right gradients have too."""
        return self._usual(ratio)

    def other_role(self, root: Root, pair: Paired) -> int | None:
        """The forward value whose adjoint `pair.node` would have to be for a root to be right."""
        return reading_of(self, root, pair)

    def settle_site(self, root: Root, m: Measured) -> None:
        """The statement of this tensor where equal values are made by several, or that takes a value not meant for it."""
        canon = self.replay.canonical
        own = [g for g in m.held.claim.gradient_nodes if canon[g] == root.node]
        if not own or len(m.held.claim.gradient_nodes) != 1:
            return
        site = self.nodes[own[0]].site
        others = [o for o in self.check.measured if o is not m and own[0] in o.held.claim.gradient_nodes]
        taken = self._is_of_another(m, own[0])
        if any(o.verdict == "right" for o in others) or taken or self._steps_back(m):
            site = (self._alias(own[0]) if taken else None) or self.update_site(m, own[0]) or site
        if site is not None and site.statement_span != root.site.statement_span:
            root.site = site
            root.names = [m.held.name] if m.held.name and not others else root.names

    def update_site(self, m: Measured, gradient: int) -> Site | None:
        """The statement that changes a tensor by a gradient, or by a multiple of it."""
        index, origin = self.replay.index, m.held.tensor.nodes[0]
        level = {gradient}
        for _ in range(_STEPS):
            level = {d for c in level for d in index.consumers.get(c, ())}
            step = next((d for d in sorted(level) if origin in self.replay.inputs(d)), None)
            if step is not None:
                return self.nodes[step].site
        return None

    def _names_of_result(self, node: int, site: Site) -> list[str]:
        """The names that a statement gives to what it makes of a value inside it."""
        level, found = [node], list[str]()
        while level and not found:
            following = [c for i in level for c in self.replay.index.consumers.get(i, ())]
            level = [c for c in following if (made := self.nodes[c].site) is not None and made.statement is site.statement]
            found = [b.name for c in level for b in self.cotangents.names(c) if b.how in ("assign", "augmented")]
        return found

    def _alias(self, node: int) -> Site | None:
        """The last statement that does nothing but give a value another name."""
        made = self.nodes[node].site
        found = [
            b.site
            for b in self.replay.index.names.get(node, ())
            if b.how == "assign" and renames(b.site) and (made is None or b.site.statement is not made.statement)
        ]
        return found[-1] if found else None

    def _is_of_another(self, m: Measured, gradient: int) -> bool:
        """Whether a tensor is updated with what belongs to something else: no backward value, or the adjoint of another."""
        node = self.replay.canonical[gradient]
        if node in self.cotangents.origins or node not in self.cotangents.backward:
            return True
        pair = self.cotangents.paired.get(node)
        if pair is None or pair.target in m.held.tensor.nodes:
            return False
        scale = self.cotangents.scale or 1.0
        return any(_close(abs(pair.ratio), abs(r)) for r in (scale, 1.0, self.check.uniform)) and self._is_used(node, m)

    def _is_used(self, node: int, m: Measured) -> bool:
        """Whether the backward pass goes on from a value that a tensor is updated with."""
        made = self.cotangents.gradients | self.cotangents.backward
        return any(i in made for i in self.replay.consumers.get(node, ()) if i != node and i not in self._final(m))

    def _steps_back(self, m: Measured) -> bool:
        """Whether a gradient is right and only its update goes the other way than those of all other tensors."""
        value = m.ratio.value if m.ratio else None
        others = [o for o in self.check.measured if o is not m and o.verdict == "right"]
        signs = {o.held.claim.terms[0][0].factor > 0 for o in others if len(o.held.claim.gradient_nodes) == 1}
        own = {t.factor > 0 for terms in m.held.claim.terms for t in terms}
        negative = value is not None and any(_close(-value, r) for r in (1.0, self.check.uniform))
        return bool(negative and others) and own == {False} and signs in (set(), {True})

    def _final(self, m: Measured) -> set[int]:
        return {self.replay.canonical[i] for i in m.held.claim.gradient_nodes}

    @property
    def uniform_is_scale(self) -> bool:
        """Whether the factor all parameters share is there from the first cotangent on: then no single line makes it."""
        scale = self.cotangents.scale
        return scale is None or _close(abs(scale), self.check.uniform)

    def is_uniform(self, m: Measured) -> bool:
        """Whether a gradient differs from the truth by nothing but the factor that all of them share."""
        value = m.ratio.value if m.ratio else None
        return (
            value is not None
            and not _close(self.check.uniform, 1.0)
            and _close(value, self.check.uniform)
            and (self.uniform_is_scale or self._is_rate)
        )

    @property
    def _is_rate(self) -> bool:
        """Whether the factor that gradients share is that of updates in which nothing else tells a learning rate."""
        return all(m.held.evidence == "update" and m.held.coefficient is None for m in self.check.measured)

    # ---- one gradient ------------------------------------------------------------------------------------------------

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
                if ratio is not None and ratio.right:
                    continue
            parts += [(canon[t.node], node) for t in terms if canon[t.node] != canon[node]]
        return parts

    @cached_property
    def _cleared(self) -> set[int]:
        """What right gradients are made of: had it been wrong, they would be."""
        right = [m for m in self.check.measured if m.verdict == "right" and m.ratio and not m.ratio.zero]
        nodes = [i for m in right for i in m.held.claim.gradient_nodes]
        above = self.replay.upstream(nodes) & self.cotangents.backward if nodes else set()
        return above - self.cotangents.gradients

    def _accepted(self, i: int) -> Paired | None:
        """A cotangent that is right: the adjoint of a forward value, in the scale that the backward pass keeps."""
        pair = self.cotangents.paired.get(i)
        if pair is None or i in self.cotangents.gradients:
            return None
        scale = self.cotangents.scale or 1.0
        sign = self.cotangents.sign
        good = any(_close(pair.ratio, r) for r in (scale, sign, sign * self.check.uniform))
        if not good or self._belies_its_name(pair, scale):
            return None
        if not self.cotangents.names(i):  # inside an expression: right by chance only, where what it is made of is not
            made_of = (self.cotangents.paired.get(j) for j in self.replay.inputs(i))
            if any(p is not None and self._belies_its_name(p, scale) for p in made_of):
                return None
        return pair

    def _belies_its_name(self, pair: Paired, scale: float) -> bool:
        """Whether a value is parallel to the adjoint of what its name says as well, and off by a factor from that."""
        named = self._named_target(pair.node)
        if named is None or named == pair.target or np.size(self.nodes[pair.node].value) == 1:
            return False
        ratio = self.cotangents.ratio(pair.node, named)
        return ratio is not None and ratio.value is not None and not ratio.zero and not _close(ratio.value, scale)

    def accepts(self, i: int) -> bool:
        """Whether a backward value is a cotangent that is right."""
        return self._accepted(i) is not None

    def _is_clear(self, i: int) -> bool:
        return i in self._cleared or self._accepted(i) is not None

    def _carries(self, i: int) -> bool:
        """Whether a value that is clear is a cotangent, and not a mere derivative factor."""
        return self._accepted(i) is not None or any(self._accepted(j) for j in self._above(i))

    def _above(self, i: int) -> set[int]:
        if i not in self._ancestors:
            self._ancestors[i] = self.replay.upstream([i], barrier=self.cotangents.origins) & self.cotangents.backward
        return self._ancestors[i]

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

    def _depends_on_right(self, node: int) -> bool:
        """Whether a value is made from any cotangent that is right (a mere derivative factor is not).

        Where no cotangent is right: whether it is made from where the backward pass first reads the data.
        """
        seen, stack = {node}, [node]
        while stack:
            i = stack.pop()
            if i in self._seeds:
                return True
            for j in self.replay.inputs(i):
                if j not in self.cotangents.backward or j in seen:
                    continue
                if self._is_clear(j) and self._carries(j):
                    return True
                seen.add(j)
                stack.append(j)
        return False

    @cached_property
    def _seeds(self) -> set[int]:
        if any(self._accepted(i) for i in self.cotangents.paired):
            return set()
        live = self.cotangents.live
        for i in sorted(self.cotangents.backward):
            data = [j for j in self.replay.inputs(i) if j not in live and np.size(self.nodes[j].value) > 1]
            if data:
                return {i}
        return set()

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

    def made_at(self, node: int) -> Site | None:
        """Where the backward pass makes a value: not where the loss, or what has no use, makes the same one."""
        made = next((j for j in self.cotangents.equals(node) if j in self._used), node)
        return self.nodes[made].site

    @cached_property
    def _used(self) -> set[int]:
        return self.really_made_of(i for h in self.training.parameters for i in h.claim.gradient_nodes)

    def really_made_of(self, gradients: Iterable[int]) -> set[int]:
        """The backward values that gradients were made of, where equal values were made more than once."""
        found: set[int] = set()
        stack = list(gradients)
        while stack:
            i = stack.pop()
            if i not in found and self.replay.canonical[i] in self.cotangents.backward:
                found.add(i)
                stack += self.nodes[i].inputs()
        return found

    def _home(self, node: int) -> tuple[str, int, int] | None:
        site = self.made_at(node)
        return None if site is None else (site.statement_span.path, site.statement_span.line, site.statement_span.column)

    def _role(self, i: int, node: int, target: int) -> tuple[int, bool] | None:
        """The forward value of which `node` takes `i` to be the adjoint, and whether the step agrees in scale.

        That is: with `i` as the adjoint of that value, `node` is the right vector-Jacobian product for `target`.
        """
        shape = np.shape(self.nodes[i].value)
        received = self._received_right(node)
        inside = self.replay.downstream([target]) & self.cotangents.forward
        fits: tuple[int, bool] | None = None
        for candidate in sorted(inside):
            if candidate == target or _squeeze(np.shape(self.nodes[candidate].value)) != _squeeze(shape):
                continue
            ratio = self._local_ratio(node, target, [Paired(i, candidate, 1.0), *received])
            if ratio is not None and _close(abs(ratio), 1.0) and ratio > 0:
                return candidate, True
            if ratio is not None and fits is None and ratio > 0:
                fits = (candidate, self._usual(ratio))
        return fits

    def _usual(self, ratio: float) -> bool:
        """Whether a factor between a cotangent and a gradient is one that right gradients have too."""
        scale = self.cotangents.scale
        if scale is None or _close(ratio, 1.0):
            return True
        return _close(ratio * abs(scale), self.check.uniform) or _close(ratio * abs(scale), 1.0)

    def _received_right(self, node: int) -> list[Paired]:
        found, seen, stack = [], {node}, [node]
        while stack:
            for i in self.replay.inputs(stack.pop()):
                if i in seen or i not in self.cotangents.backward:
                    continue
                seen.add(i)
                pair = self._accepted(i)
                if pair is not None:
                    found.append(pair)
                elif self._home(i) == self._home(node):
                    stack.append(i)
        return found

    def _local_ratio(self, node: int, target: int, received: list[Paired]) -> float | None:
        """<node, u> over the local vector-Jacobian product of `received`, if the ratio is the same along two directions.

        A parameter may be in the loss by itself as well (a weight decay): with or without that, one has to fit.
        """
        found = self._ratio_to_local(node, target, received, direct=False)
        if found is None and target in self.cotangents.origins:
            found = self._ratio_to_local(node, target, received, direct=True)
            return found if found is not None and _close(found, 1.0) else None
        return found

    def _ratio_to_local(self, node: int, target: int, received: list[Paired], *, direct: bool) -> float | None:
        frontier = [p.target for p in received]
        try:
            pairs = [(p.target, shaped(self.replay.base(p.node), np.shape(self.replay.base(p.target)))) for p in received]
        except ValueError:
            return None
        key = ("vjp", tuple((p.node, p.target) for p in received))
        objective = Objective.pairing(key, pairs)
        if direct:
            objective = objective.plus(self.objective)
        claim = Claim(Tensor("", (target,)), (self._final_terms.get(node, (Term(1.0, node),)),))
        measured = []
        try:
            for number in (0, 1):
                slope = self.adjoints.slope(claim.tensor, objective, number, frontier, crude=True)
                if slope is None:
                    return None
                measured.append((*self.adjoints.claimed(claim, number), slope.value, slope.error))
        except ValueError:
            return None
        found = proportion(measured)
        return None if found.zero else found.value

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

    def _named_target(self, node: int) -> int | None:
        """The forward value that the name of a backward value says it belongs to: Z2 for dZ2; of its own class first."""
        if node not in self._named:
            self._named[node] = self._found_by_name(node)
        return self._named[node]

    def _found_by_name(self, node: int) -> int | None:
        from ..load.conventions import is_gradient_of

        shape = _squeeze(np.shape(self.nodes[node].value))
        names = [b for b in self.cotangents.names(node) if b.how != "return"]
        best: tuple[bool, int] | None = None
        for candidate in sorted(self.cotangents.forward, reverse=True):
            if _squeeze(np.shape(self.nodes[candidate].value)) != shape:
                continue
            for there in self.cotangents.names(candidate):
                for b in names:
                    if is_gradient_of(b.parts, there.parts):
                        near = (owner(b.site) == owner(there.site), candidate)
                        best = near if best is None or near > best else best
        return best[1] if best else None

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


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= 10 * SAME * max(abs(a), abs(b))


def _squeeze(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)
