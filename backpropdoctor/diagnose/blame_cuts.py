"""Cuts: backward values that account for wrong gradients all by themselves.

A value c, taken for the adjoint of the forward value t, accounts for the gradient g of P if g is what the backward pass
must make of c where all else is right:

    <g, u> = <c, (dt/dP) u> + (derivative of the loss along u by all paths that avoid t)

for every direction u of P. The same holds for the values that one statement makes in a loop, taken together as the
adjoints of the values that one forward expression makes. Nothing needs to be known of the steps between c and g. The
cut that lies furthest up and accounts for the most gradients is where the backward pass went wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks.gradients import Measured
from ..tape.adjoint import SAME, Claim, proportion, squeezed
from .blame_alike import Alike, aligned, is_value
from .blame_moves import Move, paired

if TYPE_CHECKING:
    from .blame import Blame

_MOST_TARGETS = 300  # forward values that a backward value may be taken for the adjoint of
_MOST_NODES = 3000  # backward values that are tried
_MANY = 4  # values that one expression made and that are first taken together only

Way = tuple[float, float, Move]  # what values must account for along a direction, its error, and how their roles move


@dataclass(frozen=True, slots=True)
class Part:
    """A wrong gradient of one forward value: of a whole tensor, or of one number of a list."""

    measured: Measured | None
    claim: Claim
    cone: frozenset[int]  # the backward values it is made of

    @property
    def node(self) -> int:
        return self.claim.tensor.nodes[0]


@dataclass(slots=True)
class Cut:
    """Backward values, the forward values they are taken for, and the parts that they account for so, with the factor."""

    nodes: tuple[int, ...]
    targets: tuple[int, ...]
    accounts: dict[int, float] = field(default_factory=dict)

    @property
    def parts(self) -> set[int]:
        return set(self.accounts)


class Cuts:
    """All cuts of the wrong gradients of a step, or of other values (`parts`) that are claimed to be adjoints."""

    def __init__(self, blame: Blame, parts: Sequence[Part]) -> None:
        self.blame = blame
        self.replay = blame.replay
        self.nodes = blame.nodes
        self.parts = parts
        self.uniform = blame.check.uniform
        self.scale = blame.cotangents.scale
        self.moves = blame.moves
        self.moves.work = 0
        self.alike = Alike(blame)
        self._numeric: dict[int, bool] = {}
        self._claimed: dict[tuple[int, int], tuple[float, float]] = {}
        self._known_ways: dict[tuple[int, tuple[int, ...], int, bool], Way | None] = {}

    def found(self) -> list[Cut]:
        """Every cut, for every part."""
        cuts: dict[tuple, Cut] = {}
        for k, part in enumerate(self.parts):
            several = {i for members in self.alike.by_site(part.cone).values() if len(members) >= _MANY for i in members}
            alone = set(part.cone) - several
            ways = [*self._families(k, part), *self._single(k, part, alone)]
            for nodes, targets, factor in ways or self._single(k, part, several):
                cut = cuts.setdefault((nodes, targets), Cut(nodes, targets))
                cut.accounts.setdefault(k, factor)
        return list(cuts.values())

    def accounts_for(self, cut: Cut, k: int) -> bool:
        """Whether a cut accounts for a part with the roles that it has."""
        part = self.parts[k]
        inside = set(self.inside(part.node))
        pairs = [(i, t) for i, t in zip(cut.nodes, cut.targets, strict=True) if i in part.cone and t in inside]
        if not pairs:
            return False
        nodes, targets = zip(*pairs, strict=True)
        ways = None if self._is_out(k, part, nodes, targets) else self._ways(k, part, targets)
        return ways is not None and self._factor(part, nodes, targets, ways) is not None

    # ---- candidates --------------------------------------------------------------------------------------------------

    def _candidates(self, part: Part) -> list[int]:
        found = [i for i in self._near(part) if self._may_be_wrong(i) and is_value(self.nodes[i])]
        return sorted(found)[:_MOST_NODES]

    def _near(self, part: Part) -> set[int]:
        """The values that a gradient is made of, up to right cotangents: what lies behind those is not at fault.

        One that is only taken over from another statement is no proof of that: it may be the adjoint of something else.
        """
        found = {self.replay.canonical[g] for g in part.claim.gradient_nodes}
        stack = [(i, False) for i in found if i in part.cone]
        while stack:
            above, copied = stack.pop()
            for i in self.replay.inputs(above):
                if i not in part.cone or i in found or copied and not self._is_same(i, above):
                    continue
                found.add(i)
                stack.append((i, self.blame.is_adjoint(i)))
        return found & part.cone

    def _is_same(self, i: int, j: int) -> bool:
        return np.array_equal(self.nodes[i].value, self.nodes[j].value)

    def _may_be_wrong(self, i: int) -> bool:
        """Whether a value is a cotangent that no right gradient is made of, or only as one sign makes up for another."""
        if not self.blame.may_carry(i):
            return False
        pair = self.blame.cotangents.paired.get(i)
        return i not in self.blame.cleared or (
            pair is not None and any(abs(pair.ratio + r) <= 10 * SAME * abs(r) for r in self._scales)
        )

    def inside(self, node: int) -> list[int]:
        """The forward values between a parameter and the loss."""
        return self.moves.inside(node)

    def _single(self, k: int, part: Part, among: Collection[int]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], float]]:
        by_shape: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for i in self._candidates(part):
            if i not in among:
                continue
            by_shape[squeezed(np.shape(self.nodes[i].value))].append(i)
        own = {self.replay.canonical[g] for g in part.claim.gradient_nodes}
        targets = [t for t in self.inside(part.node) if squeezed(np.shape(self.nodes[t].value)) in by_shape]
        for t in targets[-_MOST_TARGETS:]:
            ways = self._ways(k, part, (t,))
            if ways is None:
                continue
            for i in by_shape[squeezed(np.shape(self.nodes[t].value))]:
                factor = self._factor(part, (i,), (t,), ways)
                if factor is not None and not (t == part.node and i in own) and not self._is_right(i, t):
                    yield (i,), (t,), factor

    def _families(self, k: int, part: Part) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], float]]:
        backward = self.alike.by_site(part.cone)
        forward = self.alike.by_site(self.inside(part.node))
        near = self._near(part)
        for members in backward.values():
            if not any(i in near and self._may_be_wrong(i) for i in members):
                continue
            shape = squeezed(np.shape(self.nodes[members[0]].value))
            if shape == squeezed(np.shape(self.nodes[part.node].value)):  # the addends of a gradient
                found = self._family(k, part, tuple(members), (part.node,) * len(members))
                if found is not None:
                    yield found
            for targets in forward.values():
                if squeezed(np.shape(self.nodes[targets[0]].value)) != shape:
                    continue
                for nodes, roles in aligned(members, targets):
                    found = self._family(k, part, nodes, roles)
                    if found is not None:
                        yield found

    def _family(
        self, k: int, part: Part, nodes: tuple[int, ...], roles: tuple[int, ...]
    ) -> tuple[tuple[int, ...], tuple[int, ...], float] | None:
        """A family that accounts for a part: with each value whole, else with each as a share that later ones add to."""
        if self._is_out(k, part, nodes, roles):
            return None
        for whole in (True, False):
            ways = (self._way(k, part, roles, number, whole=whole) for number in self._numbers(part))
            factor = self._factor(part, nodes, roles, ways)
            if factor is not None:
                return nodes, roles, factor
        return None

    def _is_out(self, k: int, part: Part, nodes: tuple[int, ...], roles: tuple[int, ...]) -> bool:
        """Whether the plain sum over a family of numbers already tells that it does not account for the part of one number."""
        moves = self.moves.free(part.node, 0) if self._is_number(part) else None
        if moves is None:
            return False
        total = 0.0
        for i, t in zip(nodes, roles, strict=True):
            value, move = self.replay.base(i), moves.get(t)
            if type(move) is not float or not isinstance(value, float):
                return False
            total += value * move
        claimed, _ = self._claim(k, 0)
        if not total or not self._may_be(claimed, total, part):
            rest = self.moves.rest(part.node, 0, roles, moves) if self.moves.are_apart(roles) else None
            return rest is not None and not (total and self._may_be(claimed - rest[0] * self.uniform, total, part))
        return False

    # ---- measures ----------------------------------------------------------------------------------------------------

    def _ways(self, k: int, part: Part, targets: tuple[int, ...]) -> list[Way] | None:
        """For two directions: what the targets must account for, its error, and how the targets move."""
        numbers = self._numbers(part)
        found = [way for number in numbers if (way := self._way(k, part, targets, number)) is not None]
        return found if len(found) == len(numbers) else None

    def _numbers(self, part: Part) -> tuple[int, ...]:
        """The directions that tell anything: a single number can only move along one."""
        return (0,) if self._is_number(part) else (0, 1)

    def _is_number(self, part: Part) -> bool:
        if part.node not in self._numeric:
            self._numeric[part.node] = np.size(self.nodes[part.node].value) == 1
        return self._numeric[part.node]

    def _way(self, k: int, part: Part, targets: tuple[int, ...], number: int, *, whole: bool = True) -> Way | None:
        """The same for one direction. With `whole` each value is an adjoint, else a share that later ones add to."""
        key = (k, targets, number, whole)
        if key not in self._known_ways:
            self._known_ways[key] = self._found_way(k, part, targets, number, whole)
        return self._known_ways[key]

    def _found_way(self, k: int, part: Part, targets: tuple[int, ...], number: int, whole: bool) -> Way | None:
        moves = self.moves.first(part.node, number, targets) if whole else self.moves.free(part.node, number)
        if moves is None or any(t not in moves for t in targets) or not any(_any(moves[t]) for t in targets):
            return None
        left = self.moves.rest(part.node, number, targets, moves) if whole else (0.0, 0.0)
        if left is None:
            return None
        claimed, error = self._claim(k, number)
        rest, unsure = left[0] * self.uniform, left[1] * abs(self.uniform)
        return claimed - rest, error + unsure + 1e-13 * (abs(claimed) + abs(rest)), moves

    def _claim(self, k: int, number: int) -> tuple[float, float]:
        if (k, number) not in self._claimed:
            self._claimed[k, number] = self.blame.adjoints.claimed(self.parts[k].claim, number)
        return self._claimed[k, number]

    def _factor(
        self,
        part: Part,
        nodes: tuple[int, ...],
        targets: tuple[int, ...],
        ways: Iterable[Way | None],
    ) -> float | None:
        """The factor between the values and what they must account for, where there is one that may be."""
        pairs = []
        for way in ways:
            if way is None:
                return None
            wanted, error, moves = way
            total = magnitude = 0.0
            for i, t in zip(nodes, targets, strict=True):
                try:
                    one, size = paired(self.replay.base(i), moves[t])
                except ValueError:
                    return None
                total, magnitude = total + one, magnitude + size
            if not np.isfinite(total):
                return None
            pairs.append((wanted, error, total, 1e-13 * magnitude))
            if not pairs[1:] and not self._may_be(wanted, total, part):
                return None
        if all(abs(w) <= 4 * e for w, e, _, _ in pairs) or all(abs(t) <= 4 * e for _, _, t, e in pairs):
            return None
        value = proportion(pairs).value
        return value if value is not None and self._usual(value, part) else None

    def _may_be(self, wanted: float, total: float, part: Part) -> bool:
        if self._any_factor(part) or not total:
            return True
        return self._usual(wanted / total, part, 1e-5)

    def _usual(self, value: float, part: Part, slack: float = 10 * SAME) -> bool:
        if not value:
            return False
        return self._any_factor(part) or any(abs(value - self.uniform / r) <= slack * abs(value) for r in self._scales)

    @cached_property
    def _scales(self) -> set[float]:
        """The factors that a right cotangent may have."""
        sign = self.blame.cotangents.sign
        return {abs(self.scale or 1.0) * sign, sign, sign * self.uniform}

    def _any_factor(self, part: Part) -> bool:
        """Whether nothing is known of the scale that the backward pass keeps, and the gradient can tell a factor."""
        return self.scale is None and not self._is_number(part)

    def _is_right(self, i: int, t: int) -> bool:
        """Whether a value is the adjoint it is taken for."""
        ratio = self.blame.cotangents.ratio(i, t)
        if ratio is None or ratio.value is None or ratio.zero:
            return False
        return any(abs(ratio.value - r) <= 10 * SAME * abs(r) for r in self._scales)


def _any(move: Any) -> bool:
    return move != 0 if type(move) is float else bool(np.any(move))
