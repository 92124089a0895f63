"""Values that one expression made several times, in a loop or in calls, and how they may belong to each other."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..tape.tape import Node

if TYPE_CHECKING:
    from .blame import Blame

_MOST_BLOCK = 12  # turns of a loop in one backward pass of several in a step


class Alike:
    """The values of a step by what made them."""

    def __init__(self, blame: Blame) -> None:
        self.nodes = blame.nodes
        self.scopes = blame.replay.tape.scopes
        self._callers: dict[int, tuple[int, ...]] = {}

    def by_site(self, nodes: Collection[int]) -> dict[tuple[int, ...], list[int]]:
        """Values of equal shape that one expression, called from one place, made several times, in order."""
        found: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for i in sorted(nodes):
            site = self.nodes[i].site
            if site is not None and is_value(self.nodes[i]):
                found[(site.id, *self._calls(self.nodes[i].scope), -1, *np.shape(self.nodes[i].value))].append(i)
        return {s: m for s, m in found.items() if len(m) > 1}

    def _calls(self, scope: int) -> tuple[int, ...]:
        """The places that an activation was called from, the nearest first."""
        if scope not in self._callers:
            entered = self.scopes.get(scope)
            above = () if entered is None or entered.parent is None else self._calls(entered.parent)
            own = () if entered is None or entered.call is None else (entered.call.id,)
            self._callers[scope] = (*own, *above)
        return self._callers[scope]


def is_value(node: Node) -> bool:
    """Whether a node made finite numbers that may be a cotangent."""
    if isinstance(node.value, float):
        return math.isfinite(node.value)
    value = np.asarray(node.value)
    return value.dtype.kind == "f" and value.size > 0 and bool(np.all(np.isfinite(value)))


def aligned(members: list[int], targets: list[int]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The ways to take values made in a loop for the adjoints of values made in a loop: backwards first."""
    size = min(len(members), len(targets))
    if size < 2:
        return
    for order in (targets[::-1], targets):
        for a in dict.fromkeys((0, len(members) - size)):
            for b in dict.fromkeys((0, len(order) - size)):
                yield tuple(members[a : a + size]), tuple(order[b : b + size])
    turns = math.gcd(len(members), len(targets))
    few, many = len(members) // turns, len(targets) // turns
    if turns > 1 and max(few, many) > 1 and max(few, many) < _MOST_BLOCK:  # one of several layers of equal shape, in every turn
        for a in range(few):
            for b in range(many):
                yield tuple(members[a::few]), tuple(targets[b::many])
                yield tuple(members[a::few]), tuple(targets[b::many][::-1])
    if len(members) == len(targets):  # several backward passes in one step: each of them backwards
        for block in (b for b in range(2, _MOST_BLOCK) if size % b == 0 and b < size):
            turned = [t for start in range(0, size, block) for t in targets[start : start + block][::-1]]
            yield tuple(members), tuple(turned)
