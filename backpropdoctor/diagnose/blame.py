"""Blame: which statements of the backward pass made the wrong gradients, and which gradients are wrong only because of them.

Each backward value is held against the local vector-Jacobian product of the cotangents it was really made from,
<v, J u> = <J'v, u>. Where that fails the statement is a root; where it holds the value is inherited. Statements between
values that are right and a value that is wrong are the only ones that can be accused.
"""

from __future__ import annotations

from ..checks.cotangents import Paired
from ..checks.gradients import Measured
from ..tape.adjoint import close
from ..tape.algebra import ADD, SUB, is_any
from ..tape.tape import Site
from .blame_bare import at_bare
from .blame_choice import roots_by_cuts
from .blame_claims import roots_of_claims
from .blame_factor import one_factor
from .blame_first import one_first
from .blame_reads import one_reading
from .blame_roles import Roles, Root
from .blame_steps import lacks_factor
from .blame_together import (
    all_uphill,
    read_too_late,
    reading_of,
    renames,
    second_name,
    taken_for_another,
    without_inherited,
)
from .blame_uses import left_out, one_use
from .blame_zero import zero_root

__all__ = ["Blame", "Root"]

_STEPS = 4  # operations between a gradient and the update that it is part of


class Blame(Roles):
    """Finds the roots of the wrong gradients of one training step."""

    def roots(self) -> list[Root]:
        """The roots in the order of the backward pass, equal statements merged; [] where all is right or only scaled."""
        found: dict[tuple[str, int, int], Root] = {}
        wrong = [m for m in self.check.wrong if not self.is_uniform(m)]
        uphill = all_uphill(self, wrong)
        if uphill is not None:
            return uphill
        silent = zero_root(self, wrong)
        if silent is not None:
            return [silent]
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
                if kept.ratio is not None and (root.ratio is None or not close(kept.ratio, root.ratio)):
                    kept.ratio = None
        together = without_inherited(self, taken_for_another(self, list(found.values())))
        together = [r for r in together if not self._is_right(r, together)]
        together = left_out(self, wrong, one_use(self, wrong, one_reading(self, wrong, together)))
        together = at_bare(self, one_first(self, wrong, one_factor(self, together)))
        return sorted(together, key=lambda r: min(r.instances))

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

    def _is_right(self, root: Root, roots: list[Root]) -> bool:
        """Whether what a root makes is right by all that is known, and others account for all that is wrong."""
        others = {t for r in roots if r is not root for t in r.affects}
        return root.ratio is not None and close(root.ratio, 1.0) and not root.tensors and set(root.affects) <= others

    def other_role(self, root: Root, pair: Paired) -> int | None:
        """The forward value whose adjoint `pair.node` would have to be for a root to be right."""
        return reading_of(self, root, pair)

    def settle_site(self, root: Root, m: Measured) -> None:
        """The statement of this tensor where equal values are made by several, or that takes a value not meant for it."""
        canon = self.replay.canonical
        own = [g for g in m.held.claim.gradient_nodes if canon[g] == root.node]
        single = len(m.held.claim.gradient_nodes) == 1
        if not own or not single and any(len(terms) != 1 for terms in m.held.claim.terms):
            return
        site = self.nodes[own[0]].site
        others = [o for o in self.check.measured if o is not m and own[0] in o.held.claim.gradient_nodes]
        taken = single and self._is_of_another(m, own[0])
        if any(o.verdict == "right" for o in others) or taken or self._steps_back(m) or lacks_factor(self, m):
            site = (self._alias(own[0]) if taken else None) or self.update_site(m, own[0]) or site
        if site is not None and site.statement_span != root.site.statement_span:
            root.site = site
            root.names = [m.held.name] if m.held.name and not others else root.names

    def update_site(self, m: Measured, gradient: int) -> Site | None:
        """The statement that changes a tensor by a gradient, or by a multiple of it."""
        if m.held.update is not None and m.held.update.site is not None:
            return m.held.update.site
        index, origins = self.replay.index, set(m.held.tensor.nodes)
        level = {gradient}
        for _ in range(_STEPS):
            level = {d for c in level for d in index.consumers.get(c, ())}
            steps = (d for d in sorted(level) if origins.intersection(self.replay.inputs(d)))
            step = next((d for d in steps if self.nodes[d].kind == "write" or is_any(self.nodes[d].op, ADD | SUB)), None)
            if step is not None:
                return self.nodes[step].site
        return None

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
        if node in self.cotangents.origins | set(self.cotangents.loss.nodes) or node not in self.cotangents.backward:
            return True
        pair = self.cotangents.paired.get(node)
        if pair is None or pair.target in m.held.tensor.nodes:
            return False
        scale = self.cotangents.scale or 1.0
        return any(close(abs(pair.ratio), abs(r)) for r in (scale, 1.0, self.check.uniform)) and self._is_used(node, m)

    def _is_used(self, node: int, m: Measured) -> bool:
        """Whether the backward pass goes on from a value that a tensor is updated with."""
        made = self.cotangents.gradients | self.cotangents.backward
        return any(i in made for i in self.replay.consumers.get(node, ()) if i != node and i not in self._final(m))

    def _steps_back(self, m: Measured) -> bool:
        """Whether a gradient is right and only its update goes the other way than those of all other tensors."""
        value = m.ratio.value if m.ratio else None
        others = [o for o in self.check.measured if o is not m and o.verdict == "right"]
        signs = {ts[0].factor > 0 for o in others for ts in o.held.claim.terms if len(ts) == 1}
        own = {t.factor > 0 for terms in m.held.claim.terms for t in terms}
        negative = value is not None and any(close(-value, r) for r in (1.0, self.check.uniform))
        return bool(negative and others) and (own == {False} and signs <= {True} or own == {True} and signs == {False})
