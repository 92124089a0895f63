"""The adjoints that a backward pass holds on its way: which recorded value is the adjoint of which forward value.

A backward value is paired with the forward value whose true adjoint it is parallel to; the ratio is kept. Nothing is
paired by its name alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..tape.adjoint import Claim, Ratio, Tensor, close, squeezed
from ..tape.algebra import NEG, SUB, Term, is_any
from ..tape.tape import Binding, Ref
from ..tape.training import Held, Training
from .gradients import Measured

_MOST_NUMBERS = 400  # forward values that are one number whose adjoint is measured, the latest first
_MOST_ARRAYS = 1200  # the same of each shape of arrays: a step may go over many samples one by one
_MOST_BACKWARD = 4000
_MOST_READ = 12  # forward values of a shape of which one that a gradient reads may be the adjoint
_MOST_AT_ONCE = 4_000_000  # numbers in the directions of all targets of a shape that are held at once


@dataclass(frozen=True, slots=True)
class Paired:
    """Backward node `node` is `ratio` times the adjoint of forward node `target`."""

    node: int
    target: int
    ratio: float


class Cotangents:
    """The backward region of a training step and what its values are adjoints of."""

    def __init__(
        self,
        training: Training,
        uniform: float = 1.0,
        sign: float = 1.0,
        right: Collection[int] = (),
        *,
        fixed: bool = False,
        shared: bool = False,
    ) -> None:
        """`right` are the nodes of gradients that are right: what they are made of tells the scale that is meant.

        With `fixed` that scale is the loss's own; with `shared` a residual that the loss is made of is a backward value too.
        """
        assert training.loss is not None
        self.uniform = uniform
        self.sign = sign  # -1 where the backward pass holds negative gradients, which the updates add
        self.right = right
        self.fixed = fixed
        self.shared = shared
        self.training = training
        self.loss = training.loss
        self.replay = training.replay
        self.adjoints = training.adjoints
        self.nodes = training.replay.tape.nodes
        self._seen: dict[tuple[int, ...], tuple[list[int], list[np.ndarray], list[np.ndarray]]] = {}
        canon = self.replay.canonical
        self.origins = training.origins
        self.gradients = {canon[i] for h in training.parameters for i in h.claim.gradient_nodes}

    @cached_property
    def live(self) -> set[int]:
        return self.replay.downstream(self.origins)

    @cached_property
    def forward(self) -> set[int]:
        """What lies between the parameters and the loss."""
        return {i for i in self.loss.nodes & self.live if self._is_float(i)}

    @cached_property
    def backward(self) -> set[int]:
        """What the gradients are made of and the loss is not."""
        return self._own | self._residuals if self.shared else self._own

    @cached_property
    def _own(self) -> set[int]:
        region = self.replay.upstream(self.gradients, barrier=self.origins | set(self.loss.nodes))
        return {i for i in region & self.live if i not in self.loss.nodes or i in self.gradients}

    @cached_property
    def _residuals(self) -> set[int]:
        """The differences that the loss and the backward pass both read, adjoints of a forward value: `e = y - t` of `e**2`."""
        return set(self._found_residuals())

    def _found_residuals(self) -> Iterator[int]:
        read = {j for i in self._own for j in self.replay.inputs(i)} & self.forward
        for j in (j for j in read - self.origins if self._is_difference(j)):
            shape, number = np.shape(self.nodes[j].value), np.size(self.nodes[j].value) == 1
            alike = [t for t in sorted(self.forward, reverse=True) if np.shape(self.nodes[t].value) == shape]
            ratios = (r.value for t in alike[:_MOST_READ] if (r := self.ratio(j, t)) is not None and not r.zero)
            if any(r and (not number or any(close(abs(r), u) for u in (1.0, self.uniform))) for r in ratios):
                yield j

    def _is_difference(self, j: int) -> bool:
        """Whether a value is the difference of two of its size: of an output and a target, and not `1 - p`."""
        node = self.nodes[j]
        sizes = [np.size(self.nodes[a.index].value) for a in node.args if isinstance(a, Ref)]
        return is_any(node.op, SUB) and sizes == [np.size(node.value)] * 2

    def _is_float(self, i: int) -> bool:
        return np.asarray(self.nodes[i].value).dtype.kind == "f" and np.size(self.nodes[i].value) > 0

    @cached_property
    def targets(self) -> dict[tuple[int, ...], list[int]]:
        """Forward nodes by their shape without axes of length 1, in order."""
        found: dict[tuple[int, ...], list[int]] = defaultdict(list)
        wanted = {squeezed(np.shape(self.nodes[i].value)) for i in self.backward}
        for i in sorted(self.forward, reverse=True)[: 4 * _MOST_ARRAYS]:
            shape = squeezed(np.shape(self.nodes[i].value))
            if self.is_negation(i):
                continue  # the adjoint of -z is the wrong sign of that of z, and nobody's aim
            if shape in wanted and len(found[shape]) < (_MOST_ARRAYS if shape else _MOST_NUMBERS):
                found[shape].append(i)
        return {shape: nodes[::-1] for shape, nodes in found.items()}

    def is_negation(self, i: int) -> bool:
        """Whether a value is the negative of another."""
        return self.nodes[i].kind == "op" and any(self.nodes[i].op is op for op in NEG)

    @cached_property
    def paired(self) -> dict[int, Paired]:
        """Every backward node that is parallel to the adjoint of a forward value, with that value."""
        found = {}
        for i in sorted(self.backward)[:_MOST_BACKWARD]:
            if self._is_float(i):
                pair = self._pair(i)
                if pair is not None:
                    found[i] = pair
        return found

    def _pair(self, i: int) -> Paired | None:
        scalar = np.size(self.nodes[i].value) == 1
        found: list[tuple[bool, bool, Paired]] = []
        for target in self._likely(i):
            ratio = self.ratio(i, target)
            if ratio is None or ratio.value is None or ratio.zero or ratio.value == 0:
                continue
            if scalar and not any(close(abs(ratio.value), u) for u in (1.0, self.uniform)):
                continue  # any two numbers are parallel
            found.append((close(ratio.value, self.sign), bool(self.names(target)), Paired(i, target, ratio.value)))
        return max(found, key=lambda f: f[:2])[2] if found else None

    def _likely(self, i: int) -> list[int]:
        """The targets to whose adjoint a value may be parallel, by one look at all of them."""
        shape = squeezed(np.shape(self.nodes[i].value))
        targets = self.targets.get(shape, [])
        value = np.asarray(self.replay.base(i), dtype=float).ravel()
        if len(targets) < 8 or len(targets) * value.size > _MOST_AT_ONCE:
            return targets
        seen, slopes, directions = self._sights(shape)
        if not np.all(np.isfinite(value)):
            return []
        with np.errstate(all="ignore"):
            one, two = ((d @ value) / s for d, s in zip(directions, slopes, strict=True))
            likely = np.abs(one - two) <= 1e-5 * (np.abs(one) + np.abs(two))
            if value.size == 1:
                likely &= np.any([np.abs(np.abs(one) - u) <= 1e-5 * u for u in (1.0, abs(self.uniform))], axis=0)
        return [t for t, ok in zip(seen, likely, strict=True) if ok]

    def _sights(self, shape: tuple[int, ...]) -> tuple[list[int], list[np.ndarray], list[np.ndarray]]:
        """The targets of a shape with the slopes of the loss along two directions of each, where they can be measured."""
        if shape not in self._seen:
            kept, slopes = [], []
            for t in self.targets[shape]:
                pair = [self.adjoints.slope(Tensor("", (t,)), self.loss.objective, n, crude=True) for n in (0, 1)]
                if pair[0] is not None and pair[1] is not None:
                    kept.append(t)
                    slopes.append([p.value for p in pair if p is not None])
            drawn = [np.array([self.adjoints.direction(t, n).ravel() for t in kept]) for n in (0, 1)]
            self._seen[shape] = kept, [np.array([s[n] for s in slopes]) for n in (0, 1)], drawn
        return self._seen[shape]

    def ratio(self, node: int, target: int) -> Ratio | None:
        """A backward value over the true adjoint of a forward value."""
        claim = Claim(Tensor("", (target,)), ((Term(1.0, node),),))
        try:
            return self.adjoints.ratio(claim, self.loss.objective, crude=True)
        except ValueError:
            return None

    @cached_property
    def scale(self) -> float | None:
        """The factor by which the backward pass keeps its cotangents larger than the loss says.

        That is the factor that most of the cotangents have to which the user gave a name; None where there is none. That all
        of them are negative is meant only where gradients that are right are made of them.
        """
        if self.fixed:
            return self.sign
        named = {
            i: pair.ratio
            for i, pair in self.paired.items()
            if i not in self.gradients
            and i in self._own
            and pair.target not in self.origins
            and any(b.how in ("assign", "augmented", "append") for b in self.names(i))
        }
        trusted = self.replay.upstream(self.right, barrier=self.origins) if self.right else set()
        ratios = [r for i, r in named.items() if i in trusted] or self._handed_over(trusted)
        ratios = ratios or [abs(r) * self.sign for r in named.values()]
        ratios = [r for r in ratios if r * self.sign > 0] or ratios
        return max(ratios, key=lambda r: (sum(close(r, q) for q in ratios), close(abs(r), 1.0)), default=None)

    def _handed_over(self, trusted: Collection[int]) -> list[float]:
        """The ratios of forward values that backward ones are made of: the residual, which the loss and a gradient read."""
        read = {j for i in trusted & self.backward for j in self.replay.inputs(i)} - self.origins  # type: ignore[operator]
        handed = [j for j in sorted(read & set(self.loss.nodes)) if self._is_float(j) and np.size(self.nodes[j].value) > 1]
        found = []
        for j in handed:
            shape = np.shape(self.nodes[j].value)
            targets = [t for t in sorted(self.forward, reverse=True) if np.shape(self.nodes[t].value) == shape]
            ratios = (self.ratio(j, t) for t in targets[:_MOST_READ])
            found += [r.value for r in ratios if r is not None and r.value and not r.zero][:1]
        return found

    def names(self, node: int) -> list[Binding]:
        """The names of a node, those of equal values included, in order."""
        return [b for j in self._equals.get(node, (node,)) for b in self.replay.index.names.get(j, ())]

    def equals(self, node: int) -> list[int]:
        """All nodes of the value of a canonical one, in order."""
        return self._equals.get(node, [node])

    @cached_property
    def _equals(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for j, i in enumerate(self.replay.canonical):
            found[i].append(j)
        return found

    def held(self) -> list[Held]:
        """The named cotangents with the values they are adjoints of, in the order of the backward pass."""
        found = []
        for i in sorted(self.paired):
            if i in self.gradients or self.paired[i].target in self.origins:
                continue
            names = [b for b in self.names(i) if b.how in ("assign", "augmented")]
            if names:
                name = self.forward_name(self.paired[i].target)
                claim = Claim(Tensor(name, (self.paired[i].target,)), ((Term(1.0, i),),))
                found.append(Held(claim, names[0].name, names[0].site, "intermediate"))
        return found

    def count_exact(self) -> int:
        """How many of them are the adjoints of the loss, but for the sign."""
        return sum(close(abs(self.paired[self.replay.canonical[h.node]].ratio), 1.0) for h in self.held())

    def forward_name(self, node: int) -> str:
        names = [b for b in self.names(node) if b.how != "return"]
        if names:
            return min(names, key=lambda b: (len(b.parts) < 2, b.scope, b.at)).name
        site = self.nodes[node].site
        return site.span.text if site else ""


def sign_of(measured: Sequence[Measured]) -> float:
    """-1 where most gradients that are right (else: most) are negative ones that the updates add, else 1."""
    right = [m for m in measured if m.verdict == "right" and not (m.ratio and m.ratio.zero)]
    factors = [t[0].factor if len(t) == 1 else 1.0 for m in right or measured for t in m.held.claim.terms[:1]]
    return -1.0 if sum(f < 0 for f in factors) > sum(f > 0 for f in factors) else 1.0
