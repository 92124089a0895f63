"""The gradient behind an update: what is left of it without learning rates, clipping, momentum and preconditioning."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from ..tape.adjoint import is_broadcast
from ..tape.algebra import ADD, NEG, PRODUCTS, SUB, Scaling, Term, is_any
from ..tape.steps import Update
from ..tape.tape import Binding, Ref, Site
from .conventions import is_gradient_name, is_learning_rate
from .states import is_elementwise
from .updated import Updated

_SOLVERS = ("solve", "cho_solve", "lu_solve", "spsolve", "lstsq", "solve_triangular", "cg")
_INVERSES = ("inv", "pinv", "pinvh")


def _is_literal(value: float, site: Site | None) -> bool:
    """Whether the user wrote a factor as a number in that very statement."""
    numbers = [n.value for n in ast.walk(site.statement) if isinstance(n, ast.Constant)] if site is not None else []
    written = [float(v) for v in numbers if isinstance(v, (int, float)) and v]
    return any(math.isclose(abs(value), w, rel_tol=1e-12) for v in written for w in (abs(v), 1 / abs(v)))


@dataclass(frozen=True, slots=True)
class Gradient:
    """What the code takes for the gradient: a sum of factor * node, and the scalar factors that its update adds."""

    terms: tuple[Term, ...]
    factors: tuple[tuple[float, str], ...]
    name: str
    site: Site | None
    named: bool


class Behind:
    """Takes updates apart. `shared` are the scalar factors that every update of a step has."""

    def __init__(self, updated: Updated) -> None:
        self.updated = updated
        self.steps = updated.steps
        self.replay = updated.replay
        self.nodes = updated.nodes
        self.canon = updated.canon
        self._shared: set[tuple[float, str]] = set()
        self._numbered = False

    def begin_step(self, updates: Sequence[Update]) -> None:
        """The updates that belong to one step: the factors all of them have are the step's."""
        self._shared = self._shared_factors(updates)
        self._numbered = all(self._begins_with_a_number(t.node) for u in updates for t in u.terms)

    def _begins_with_a_number(self, node: int) -> bool:
        """Whether the user wrote the factor of a step as a number, and no learning rate by name."""
        factors, site = self._chain(node)[-1].factors, self.nodes[node].site
        return any(_is_literal(v, site) for v, name in factors if name != "-1") and not any(
            is_learning_rate(n) for _, n in factors
        )

    def _shared_factors(self, updates: Sequence[Update]) -> set[tuple[float, str]]:
        """The scalar factors that every update of a step has: the learning rate, and what all gradients are divided by."""
        shared: set[tuple[float, str]] | None = None
        for update in updates:
            own: set[tuple[float, str]] = set()
            for term in update.terms:
                own |= set(self._chain(term.node)[-1].factors)
            shared = own if shared is None else shared & own
        return shared or set()

    def _chain(self, node: int) -> list[Scaling]:
        return list(self.steps.algebra.scalings(node, lambda i: self.canon[i] in self._live))

    def _allowed(self, factor: tuple[float, str]) -> bool:
        """Whether a scalar factor is the update's and not the gradient's: shared by all updates, a learning rate, a norm's."""
        own = factor in self._shared or factor in self.steps.algebra.own_norms
        return factor[1] == "-1" or own or is_learning_rate(factor[1])

    def strippings(self, node: int) -> list[Scaling]:
        """The node with the update's own scalar factors taken off; a factor of the gradient's stays in its value."""
        chain = self._chain(node)
        named = next((k for k, s in enumerate(chain) if self._gradient_binding(s.node)), None)
        if named is None:
            named = self._behind_a_number(chain)
        if not np.ndim(self.nodes[node].value) or not all(
            self._allowed(f) or _is_literal(f[0], self.nodes[node].site) for f in chain[named].factors
        ):
            named = 0  # of plain numbers, an input may be a factor too
        own = len(chain[named].factors)  # a number before a gradient by name is the update's own learning rate
        rest = [s for s in chain[named + 1 :] if all(self._allowed(f) for f in s.factors[own:])]
        found = [*chain[: named + 1], *rest]
        last, deepest = found[-1], chain[-1]
        beyond = [f for f in deepest.factors[len(last.factors) :] if self._allowed(f)]
        if beyond and last.inside == 1.0:
            factors = (*last.factors, *beyond)
            found.append(Scaling(last.node, factors, float(np.prod([v for v, _ in beyond]))))
        return found

    def _behind_a_number(self, chain: Sequence[Scaling]) -> int:
        """Where in a chain the gradient begins that has no name of a gradient, and a number for its learning rate.

        It is what an earlier statement gave a name to; where none did, what one number in every update of the step scales.
        """
        site = self.nodes[chain[0].node].site
        for k, s in enumerate(chain[1:], 1):
            if any(b.site.statement is not (site and site.statement) for b in self.replay.index.names.get(s.node, ())):
                return k
        found = 0
        for k, s in enumerate(chain):
            own = [f for f in s.factors if not self._allowed(f)]
            if self._numbered and s.inside == 1.0 and len(own) == 1:
                found = k
        return found

    def gradient_of(self, updates: Sequence[Update], origin: int) -> Gradient | None:
        """The gradient that the updates of `origin` use: without scalar factors, momentum or adaptive scaling."""
        whole = self.whole(updates)
        if whole is not None:
            return self.named(Scaling(whole.node, ()), -whole.factor, exact=True)
        terms = [t for u in updates for t in u.terms]
        chains = [self.strippings(t.node) for t in terms]
        if any(self._is_adaptive(chain[-1].node) and not self._is_sum(chain[-1].node) for chain in chains):
            source, sign = self._behind_states(updates, terms, origin) or (None, 0.0)
            sign = sign or (self._seen_sign(terms, source) if source is not None else 0.0)
            return self.named(Scaling(source, ()), -sign, exact=False) if source is not None and sign else None
        if len(terms) > 1:
            return self._sum(updates, terms, [chain[-1] for chain in chains])
        [chain] = chains
        chosen = next((s for s in chain[1:] if self._gradient_binding(s.node)), None)
        if chosen is None and len(chain) > 1 or chosen is None and not self._gradient_binding(chain[0].node):
            chosen = chain[-1]
        chosen = self._unlimited(chosen or chain[0], chain)
        return self._conditioned(self._unclipped(chosen), updates[0], terms[0])

    def whole(self, updates: Sequence[Update]) -> Term | None:
        """What is called the gradient and goes into the one update as it is, a multiple of the value in it: `W -= dW`.

        That multiple belongs to the gradient of a penalty then, and is no decay beside it.
        """
        [update] = updates if len(updates) == 1 else [None]
        if update is None or update.self_factor == 0.0:
            return None
        node = self.nodes[update.new]
        op = getattr(node.op, "op", node.op)
        operands = [a.index for a in (node.args[3:] if node.kind == "write" else node.args[1:]) if isinstance(a, Ref)]
        if len(operands) != 1 or not is_any(op, ADD | SUB):
            return None
        i, sign = operands[0], -1.0 if is_any(op, SUB) else 1.0
        while is_any(self.nodes[i].op, NEG):
            [i], sign = self.nodes[i].inputs(), -sign
        if self._gradient_binding(i) is None or {t.node for t in self.steps.algebra.terms(i)} <= {t.node for t in update.terms}:
            return None  # nothing was taken out of it
        return Term(sign, i)

    def _unlimited(self, chosen: Scaling, chain: Sequence[Scaling]) -> Scaling:
        """What a gradient was before it was scaled by its own norm, with the other factors of that statement."""
        limited = [k for k, s in enumerate(chain) if set(s.factors) & self.steps.algebra.norm_factors]
        if not limited or chosen in chain[limited[0] :]:
            return chosen
        site = self.nodes[chain[limited[0] - 1].node].site
        for s in chain[limited[0] :]:
            chosen = s
            here = self.nodes[s.node].site
            if site is None or here is None or here.statement is not site.statement:
                break
        return chosen

    def _sum(self, updates: Sequence[Update], terms: Sequence[Term], chains: Sequence[Scaling]) -> Gradient:
        """A gradient that comes in several terms, without the factors that all of them have."""
        first = chains[0]
        if all(c.factors == first.factors and c.inside == 1.0 for c in chains) and first.product:
            sign = float(np.sign(first.product))
            summed = tuple(Term(-t.factor * sign, c.node) for t, c in zip(terms, chains, strict=True))
            return Gradient(summed, first.factors, "", updates[0].site, False)
        return Gradient(tuple(Term(-t.factor, t.node) for t in terms), (), "", updates[0].site, False)

    def _unclipped(self, scaling: Scaling) -> Scaling:
        """What a gradient was before it was clipped element by element."""
        node = scaling.node
        while (inner := self.steps.algebra.unclipped(node)) is not None:
            node = inner
        return Scaling(node, scaling.factors, scaling.inside)

    def _conditioned(self, scaling: Scaling, update: Update, term: Term) -> Gradient | None:
        """The gradient in a step that a second derivative or a sign makes of it; None where it cannot be seen."""
        if not scaling.inside:
            return None  # a learning rate of zero inside a product leaves nothing of the gradient
        inner = self._preconditioned(scaling.node, update)
        if inner is None:
            return self.named(scaling, -term.factor, exact=True)
        shape = np.shape(self.nodes[inner].value)
        if np.size(self.nodes[inner].value) != np.size(self.nodes[update.old].value) or shape == ():
            return None
        sign = float(np.sign(scaling.product)) or 1.0
        if any(self._is_carried(i, inner) for i in self.nodes[scaling.node].inputs()):  # or its negative: `p = -H @ g`
            sign *= float(np.sign(np.sum(self.nodes[scaling.node].value * self.nodes[inner].value))) or 1.0
        return self.named(Scaling(inner, ()), -term.factor * sign, exact=False)

    def _preconditioned(self, index: int, update: Update) -> int | None:
        """The vector that a step multiplies by the inverse of a matrix, or takes the sign of; None for any other step."""
        node = self.nodes[index]
        name = node.name
        refs = [a.index for a in node.args if isinstance(a, Ref)]
        if node.kind == "item" or name in ("getitem", "reshape", "ravel", "flatten"):
            return self._preconditioned(refs[0], update) if refs else None
        if name in _SOLVERS and refs:
            return refs[-1]
        if name in PRODUCTS and len(refs) == 2:
            return next((b for a, b in (refs, refs[::-1]) if self._is_inverse(a) or self._is_carried(a, b)), None)
        if name == "sign" and refs and self.canon[refs[0]] in self._live and not self._is_own(refs[0], update):
            return refs[0]
        return None

    def _is_inverse(self, index: int) -> bool:
        node = self.nodes[index]
        return node.name in _INVERSES

    def _is_carried(self, index: int, vector: int) -> bool:
        """Whether a value is a square matrix that goes with a vector, and that each turn makes anew of the one before.

        That is what quasi-Newton methods hold for the inverse of the second derivative.
        """
        size = np.size(self.nodes[vector].value)
        if np.ndim(self.nodes[vector].value) != 1 or np.shape(self.nodes[index].value) != (size, size):
            return False
        inner = self.steps.algebra.all_scalings(index)[-1].node
        places = {b.place for b in self.replay.index.names.get(inner, ())}
        bound = [self.canon[b.node] for b in self.steps.tape.bindings if b.place in places and b.node is not None]
        return any(old != new and old in self.replay.upstream([new], barrier={old}) for old, new in pairwise(bound))

    def _is_own(self, index: int, update: Update) -> bool:
        return self.canon[index] == self.canon[update.old]

    def _is_sum(self, index: int) -> bool:
        """Whether a gradient by its name is a plain sum with that of the step before: it was not cleared."""
        update = self.steps.by_new.get(self.canon[index])
        return update is not None and update.self_factor == 1.0 and self._gradient_binding(index) is not None

    def _is_adaptive(self, index: int) -> bool:
        """Whether a step is made from a state that outlives it, such as a momentum."""
        return self.updated.states.make(index)

    @cached_property
    def _live(self) -> set[int]:
        return self.replay.downstream([origin for _, origin in self.updated.updates])

    def _gradient_binding(self, node: int) -> Binding | None:
        names = self.replay.index.names.get(node, ())
        return next((b for b in names if is_gradient_name(b.parts)), None)

    def named(self, scaling: Scaling, sign: float, *, exact: bool) -> Gradient:
        binding = self._gradient_binding(scaling.node) or next(iter(self.replay.index.names.get(scaling.node, ())), None)
        node = self.nodes[scaling.node]
        site = node.site if node.site is not None else binding.site if binding else None
        name = binding.name if binding else ""
        factors = scaling.factors if exact else ()
        signs = [np.sign(v) for v, _ in factors if v]  # a rate of zero is a rate all the same
        outside = np.prod(signs) * (np.sign(scaling.inside) if exact else 1.0)  # the value has the sign of those inside
        term = Term(float(np.sign(sign) * outside) / abs(scaling.inside), scaling.node)
        return Gradient((term,), factors, name, site, bool(binding))

    def _behind_states(self, updates: Sequence[Update], terms: Sequence[Term], origin: int) -> tuple[int, float] | None:
        """The one gradient that the states behind an adaptive update were fed with, and the sign it is taken with.

        None where there is no single one in this step.
        """
        found: dict[int, float] = {}
        seen: set[tuple[int, float]] = set()
        own = {self.canon[i] for i in (origin, *(u.old for u in updates))}  # what decays is the value itself
        stack = [(self.canon[t.node], float(np.sign(t.factor))) for t in terms]
        shape = np.shape(self.nodes[updates[0].old].value)
        fed = self.updated.states.fed([i for i, _ in stack], self._live) if shape == () else set()
        while stack:
            i, sign = stack.pop()
            if (i, sign) in seen or i in own or not self._may_spread(i, shape):
                continue
            seen.add((i, sign))
            state = self.updated.states.updates.get(i)
            if state is not None and sign and self._is_sum(i):
                found[i] = sign  # a gradient that was not cleared, before a momentum
            elif state is not None:
                stack.extend((self.canon[t.node], sign * np.sign(t.factor)) for t in self._fed(state))
            elif i in fed or self._is_known(i):
                found[i] = sign or found.get(i, 0.0)
            else:
                parts = [(j, s) for j, s in self._signed_inputs(i) if self._may_spread(j, shape)]
                if parts and is_elementwise(self.nodes[i]):
                    stack.extend((j, sign * s) for j, s in parts)
                elif i in self._live:
                    found[i] = sign or found.get(i, 0.0)
        if len(found) > 1:  # a velocity of the step before beside the new one
            start = self.updated.starts[updates[0].new]
            found = {i: s for i, s in found.items() if i >= start}
        if len(found) > 1:  # means over rows and columns beside what they are means of
            found = {i: s for i, s in found.items() if np.shape(self.nodes[i].value) == shape}
        return found.popitem() if len(found) == 1 else None

    def _seen_sign(self, terms: Sequence[Term], source: int) -> float:
        """The sign of a step along a gradient, by the numbers: where what is made of it on the way does not tell."""
        value = np.asarray(self.nodes[source].value)
        along = sum(t.factor * np.sum(self.nodes[t.node].value * value) for t in terms)
        return float(np.sign(along))

    def _fed(self, state: Update) -> Sequence[Term]:
        """The terms that a state is changed by; what is called a gradient is one of them, though it be a sum."""
        if len(state.terms) == 1 or self.nodes[state.new].kind != "op":
            return state.terms
        called = [t for t in self.steps.algebra.terms(state.new, whole=self._called) if t.node in self._called]
        inner = self.replay.upstream([t.node for t in called])
        return called + [t for t in state.terms if self.canon[t.node] not in inner]

    @cached_property
    def _called(self) -> set[int]:
        """What the code calls gradients."""
        return {i for i in self._live if self._gradient_binding(i)}

    def _is_known(self, i: int) -> bool:
        """Whether the code itself calls a value a gradient, or scales it by a number on the way to the optimiser."""
        return i in self._live and bool(self._gradient_binding(i) or self._is_scaled_by_name(i)) and not self._is_adaptive(i)

    def _is_scaled_by_name(self, i: int) -> bool:
        """Whether a value with a name is a multiple of another by a number that is no learning rate and no clipping."""
        if not self.replay.index.names.get(i):
            return False
        factors = next((s.factors for s in self._chain(i)[1:]), ())
        return bool(factors) and not any(self._allowed(f) or f in self.steps.algebra.norm_factors for f in factors)

    def _may_spread(self, i: int, shape: tuple[int, ...]) -> bool:
        """Whether a value has the shape of a parameter, or is one of the backward pass that broadcasts to it."""
        own = np.shape(self.nodes[i].value)
        return own == shape or (i in self._live and is_broadcast(own, shape))

    def _sign(self, i: int) -> float:
        """-1 where all of a value is negative, else 1: what a factor makes of the sign of a step."""
        value = np.asarray(self.nodes[i].value)
        return -1.0 if value.size and bool(np.all(value < 0)) else 1.0

    def _signed_inputs(self, i: int) -> list[tuple[int, float]]:
        """The inputs of an elementwise node with the sign it takes them with, 0 where that is lost."""
        node = self.nodes[i]
        name = node.name
        inputs = self.replay.inputs(i)
        split = self.steps.algebra.scalar_split(i)
        if split is not None:
            value = float(np.reshape(self.steps.algebra.value(split[0]), ()))
            return [(self.canon[split[1].index], float(np.sign(value)) or 1.0)]
        by_itself = len(inputs) == 1 and len(node.args) == 2 and all(isinstance(a, Ref) for a in node.args)  # g * g
        if name in ("pow", "power", "square", "sqrt", "abs", "absolute") or by_itself:
            return [(j, 0.0) for j in inputs]  # a second moment: the sign is lost
        if name in ("neg", "negative"):
            return [(j, -1.0) for j in inputs]
        if name in ("sub", "isub", "subtract") and len(inputs) == 2:
            return [(inputs[0], 1.0), (inputs[1], -1.0)]
        if name in ("mul", "multiply", "truediv", "divide") and len(inputs) == 2:
            return [(i, self._sign(j)) for i, j in (inputs, inputs[::-1])]
        return [(j, 1.0) for j in inputs]
