"""What the values of a backward pass are: cotangents that are right, what they were made from, and where."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import cached_property

import numpy as np

from ..checks.cotangents import Cotangents, Paired, sign_of
from ..checks.gradients import Check, Measured
from ..tape.adjoint import Claim, Ratio, Tensor, close, proportion, shaped, squeezed
from ..tape.algebra import PRODUCTS, Term
from ..tape.replay import Objective
from ..tape.tape import Site
from .blame_moves import Moves
from .blame_together import owner


class Values:
    """The backward values of one training step, each held against what it is made of and taken for."""

    def __init__(self, check: Check) -> None:
        self.check = check
        right = [m for m in check.measured if m.verdict == "right" and m.ratio is not None and not m.ratio.zero]
        nodes = {i for m in right for i in m.held.claim.gradient_nodes}
        self.cotangents = Cotangents(
            check.training, check.uniform, sign_of(check.measured), nodes, fixed=check.fixed, shared=True
        )
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
        self._adjoint: dict[int, bool] = {}
        self._taken_for: dict[tuple[int, int, int], tuple[int, bool] | None] = {}
        self._roles: dict[int, int] = {}  # what a wrong backward value is used as the adjoint of, once that is known

    @cached_property
    def moves(self) -> Moves:
        """How forward values move with others."""
        return Moves(self)

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
        if node not in self._adjoint:
            self._adjoint[node] = self._found_adjoint(node)
        return self._adjoint[node]

    def _found_adjoint(self, node: int) -> bool:
        pair = self.cotangents.paired.get(node)
        sign, scale = self.cotangents.sign, self.cotangents.scale or 1.0
        if pair is None or not any(close(pair.ratio, sign * r) for r in (abs(scale), 1.0, self.check.uniform)):
            return False
        return node in self.cotangents.gradients or not self._belies_its_name(pair, scale)

    @property
    def cleared(self) -> set[int]:
        """What right gradients are made of."""
        return self._cleared

    def named_target(self, node: int) -> int | None:
        """The forward value that the name of a backward value says it belongs to."""
        return self._named_target(node)

    def local_ratio(self, node: int, target: int, received: list[Paired]) -> float | None:
        """A backward value over the local vector-Jacobian product of what it received, where they are parallel."""
        return self._local_ratio(node, target, received)

    def usual(self, ratio: float) -> bool:
        """Whether a factor between a cotangent and a gradient is one that right gradients have too."""
        return self._usual(ratio)

    @property
    def uniform_is_scale(self) -> bool:
        """Whether the factor all parameters share is no single line's.

        It is there from the first cotangent on, or the cotangents keep another scale than the loss (a mean that is taken at
        the gradients), so that no line between is known to be off by it.
        """
        scale = self.cotangents.scale
        return scale is None or close(abs(scale), self.check.uniform) or not close(abs(scale), 1.0)

    def is_uniform(self, m: Measured) -> bool:
        """Whether a gradient differs from the truth by nothing but the factor that all of them share."""
        return not self._is_taken_out and self.is_shared(m.ratio) and (self.uniform_is_scale or self._is_rate)

    @cached_property
    def _is_taken_out(self) -> bool:
        """Whether the factor that gradients share is taken out of their ratios: those that have it are right then."""
        return any(m.verdict == "right" and m.ratio is not None and not m.ratio.zero for m in self.check.measured)

    def is_shared(self, ratio: Ratio | None) -> bool:
        """Whether a ratio is the factor that gradients share."""
        uniform = self.check.uniform
        return ratio is not None and ratio.value is not None and not close(uniform, 1.0) and close(ratio.value, uniform)

    @property
    def _is_rate(self) -> bool:
        """Whether the factor that gradients share is that of updates in which nothing else tells a learning rate."""
        return all(m.held.evidence == "update" and m.held.coefficient is None for m in self.check.measured)

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
        good = any(close(pair.ratio, r) for r in (scale, sign, sign * self.check.uniform))
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
        return ratio is not None and ratio.value is not None and not ratio.zero and not close(ratio.value, scale)

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

    def made_at(self, node: int) -> Site | None:
        """Where the backward pass makes a value: not where the loss, or what has no use, makes the same one.

        What a loop takes out of an array is made where that is.
        """
        made = next((j for j in self.cotangents.equals(node) if j in self._used), node)
        while self.nodes[made].site is None and len(inputs := list(self.nodes[made].inputs())) == 1:
            made = inputs[0]
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

    def _usual(self, ratio: float) -> bool:
        """Whether a factor between a cotangent and a gradient is one that right gradients have too."""
        scale = self.cotangents.scale
        if scale is None or close(ratio, 1.0):
            return True
        return close(ratio * abs(scale), self.check.uniform) or close(ratio * abs(scale), 1.0)

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
            return found if found is not None and close(found, 1.0) else None
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
            for number in (0, 1) if np.size(self.nodes[target].value) > 1 else (0,):
                known = None if direct else self.moves.through(target, number, pairs)
                slope = known or self.adjoints.slope(claim.tensor, objective, number, frontier, crude=True)
                if slope is None:
                    return None
                found = slope if isinstance(slope, tuple) else (slope.value, slope.error)
                measured.append((*self.adjoints.claimed(claim, number), *found))
        except ValueError:
            return None
        ratio = proportion(measured)
        return None if ratio.zero else ratio.value

    def _named_target(self, node: int) -> int | None:
        """The forward value that the name of a backward value says it belongs to: Z2 for dZ2; of its own class first."""
        if node not in self._named:
            self._named[node] = self._found_by_name(node)
        return self._named[node]

    def _found_by_name(self, node: int) -> int | None:
        from ..load.conventions import is_gradient_of

        there = self._forward_names.get(squeezed(np.shape(self.nodes[node].value)), {})
        best: tuple[bool, int] | None = None
        for parts, latest in there.items():
            for b in self.cotangents.names(node):
                if b.how != "return" and is_gradient_of(b.parts, parts):
                    own = latest.get(owner(b.site))
                    near = (True, own) if own is not None else (False, max(latest.values()))
                    best = near if best is None or near > best else best
        return best[1] if best else None

    @cached_property
    def _forward_names(self) -> dict[tuple[int, ...], dict[tuple[Hashable, ...], dict[str, int]]]:
        """For each shape the names of forward values, with the last value of each name in every class."""
        found: dict[tuple[int, ...], dict[tuple[Hashable, ...], dict[str, int]]] = {}
        for i in sorted(self.cotangents.forward):
            for b in self.cotangents.names(i):
                shape = squeezed(np.shape(self.nodes[i].value))
                found.setdefault(shape, {}).setdefault(b.parts, {})[owner(b.site)] = i
        return found
