"""Edits tried on a training step: the gradients under them, held against the truth."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ...checks.gradients import Check, Measured
from ...tape.adjoint import SAME, Claim, close, shaped
from ...tape.steps import Steps
from .capture import Moment, Place
from .edited import Edited, Misfit
from .evaluation import Evaluation
from .values import Values

SEARCH = (0, 1)  # directions that the search uses
FRESH = (10, 11, 12, 13)  # directions that a found edit has to pass
_MOST_SIZED = 40  # gradients of which it is known how much they depend on
_NOTHING = 1e-11  # beside the largest gradient, less than this is roundoff, as where gradients are measured


@dataclass(slots=True)
class Outcome:
    """What a trial shows: for each measured gradient its ratio to the truth (None: not parallel)."""

    ratios: dict[str, float | None] = field(default_factory=dict)
    right: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Aim:
    """What an edit is to do: the gradients that must be right under it, those `hoped` for, and those that are right already.

    With `shares` it may leave all gradients one factor instead.
    """

    needed: frozenset[str]
    hoped: frozenset[str]
    kept: frozenset[str] = frozenset()
    shares: bool = False

    def is_missed(self, name: str, found: Outcome) -> bool:
        """Whether that is clear now that the gradient `name` is known."""
        if name in found.right:
            return False
        if name in self.needed or name in self.kept:
            ratio = found.ratios[name]
            first = next(iter(found.ratios.values()))
            return not self.shares or ratio is None or first is None or abs(ratio - first) > 1e-5 * abs(first)
        hoped = [found.ratios.get(h) for h in self.hoped]
        return name not in self.hoped and all(r is None for r in hoped)


class Trial(Values):
    """Tries edits on one training step."""

    def __init__(
        self,
        check: Check,
        moments: dict[Place, list[Moment]],
        backward: Collection[int] = (),
        *,
        uniform_is_scale: bool = True,
    ) -> None:
        super().__init__(check, moments, backward)
        self.adjoints = check.training.adjoints
        assert check.training.loss is not None
        self.good_ratios = (1.0, check.uniform) if uniform_is_scale else (1.0,)
        if check.training.loss.source == "implied":
            self.good_ratios = (check.uniform,)  # the scale of a loss that nobody writes down is that of its gradients
        self.objective = check.training.loss.objective
        self._truths: dict[tuple[Any, int], tuple[float, float, list[np.ndarray]] | None] = {}
        self._forward_lines: dict[str, set[int]] = {}
        self._named: dict[str, dict[int, None]] | None = None
        self.formulas: dict[str, Any] = {}  # the forward pass's formulas by file, read once for all statements
        self.walked: dict[str, list[ast.AST]] = {}  # all that stands in a file
        self._made_on: dict[tuple[str, int], list[Any]] = {}
        self._orders: dict[Any, list[Measured]] = {}

    @cached_property
    def backward_names(self) -> set[str]:
        """The names of values that are made of cotangents, whether a gradient uses them or not.

        A value of the forward pass that a parameter is updated with by mistake is none.
        """
        borders = self.replay.once(Steps).new_values | self.replay.borders | self.origins
        loss = self.check.training.loss
        taken = {self.replay.canonical[i] for i in self.finals} & (set(loss.nodes) if loss is not None else set())
        found = set(self.backward) - taken - self.origins
        stack = list(found)
        while stack:
            for i in self.replay.consumers.get(stack.pop(), ()):
                if i not in found and i not in borders:
                    found.add(i)
                    stack.append(i)
        canonical = self.replay.canonical
        return {b.name for b in self.replay.tape.bindings if b.node is not None and canonical[b.node] in found - borders}

    def values_of(self, name: str) -> list[Any]:
        """The arrays that a variable of this name stood for, in any function."""
        if self._named is None:
            self._named = {}
            for b in self.replay.tape.bindings:
                if b.node is not None and np.ndim(self.nodes[b.node].value):
                    self._named.setdefault(b.name, {})[self.replay.canonical[b.node]] = None
        return [self.replay.base(i) for i in self._named.get(name, ())]

    def forward_lines(self, place: Place) -> set[int]:
        """The lines of a file on which the forward pass is computed."""
        if place.path not in self._forward_lines:
            loss = self.check.training.loss
            sites = [self.nodes[i].site for i in (loss.nodes if loss is not None else ())]
            lines = {s.statement.lineno for s in sites if s is not None and s.span.path == place.path}
            self._forward_lines[place.path] = lines
        return self._forward_lines[place.path]

    @cached_property
    def repeated_forward(self) -> dict[str, set[int]]:
        """The lines of each file on which values of the forward pass are computed, by whatever function, once more perhaps."""
        loss = self.check.training.loss
        nodes = loss.nodes if loss is not None else frozenset()
        found: dict[str, set[int]] = {}
        for node, same in zip(self.nodes, self.replay.canonical, strict=True):
            if same in nodes and node.kind == "op" and node.site is not None:
                found.setdefault(node.site.span.path, set()).add(node.site.statement.lineno)
        return found

    def made_on(self, path: str, line: int) -> list[Any]:
        """The values that the statement on a line made, in any of the recorded steps."""
        if (path, line) not in self._made_on:
            sites = ((node, node.site) for node in self.nodes if node.kind == "op")
            rows = [node.value for node, s in sites if s is not None and (s.span.path, s.statement.lineno) == (path, line)]
            self._made_on[path, line] = rows
        return self._made_on[path, line]

    # --- verdicts -----------------------------------------------------------------------------------------------------

    def outcome(self, edits: Sequence[Edited], numbers: Sequence[int] = SEARCH, aim: Aim | None = None) -> Outcome:
        """The gradients under the edits, held against the truth along the directions `numbers`. Raises Misfit.

        Once it shows that the edits miss their `aim`, the other gradients are not looked at.
        """
        evaluation = self.evaluation(edits)
        found = Outcome()
        for m in self.claims if aim is None else self._in_order(evaluation, aim):
            name = m.held.tensor.name
            values = self.finals_of(evaluation, m.held.claim.gradient_nodes)
            ratio = self._ratio(m.held.claim, values, numbers)
            found.ratios[name] = ratio
            if ratio is not None and any(close(ratio, good) for good in self.good_ratios):
                found.right.add(name)
            if aim is not None and aim.is_missed(name, found):
                break
        return found

    def _in_order(self, evaluation: Evaluation, aim: Aim) -> list[Measured]:
        """The gradients that an edit aims at first, of these the ones that need least; then those that it may spoil."""
        key = (tuple(evaluation.below[:1]), len(evaluation.below), aim.needed, aim.kept)
        if key not in self._orders:
            rank = {name: self._size(evaluation, name) for name in sorted(aim.needed)[:_MOST_SIZED]}
            far = len(evaluation.below)

            def place(m: Measured) -> tuple[bool, bool, bool, int]:
                name = m.held.tensor.name
                return name not in aim.needed, name not in aim.hoped, name not in aim.kept, rank.get(name, far)

            self._orders[key] = sorted(self.claims, key=place)
        return self._orders[key]

    def _size(self, evaluation: Evaluation, name: str) -> int:
        """How many of the values that an edit changes a gradient depends on."""
        ends = [i for m in self.claims if m.held.tensor.name == name for i in m.held.claim.gradient_nodes]
        inside, seen, stack = set(evaluation.below), set(), ends
        while stack:
            i = stack.pop()
            if i in inside and i not in seen:
                seen.add(i)
                stack += self.nodes[i].inputs()
        return len(seen)

    def _truth(self, claim: Claim, number: int) -> tuple[float, float, list[np.ndarray]] | None:
        """The slope along a direction, its error, and the direction: once for each."""
        key = (claim.tensor.nodes, number)
        if key not in self._truths:
            slope = self.adjoints.slope(claim.tensor, self.objective, number)
            directions = [self.adjoints.direction(node, number) for node in claim.tensor.nodes]
            self._truths[key] = None if slope is None else (slope.value, slope.error, directions)
        return self._truths[key]

    def _ratio(self, claim: Claim, values: dict[int, Any], numbers: Sequence[int]) -> float | None:
        """Gradient over truth where they are parallel; 1 where both are zero but for roundoff beside the others."""
        pairs = []
        for number in numbers:
            truth = self._truth(claim, number)
            if truth is None:
                return None
            total = magnitude = 0.0
            for u, terms in zip(truth[2], claim.terms, strict=True):
                for term in terms:
                    try:
                        products = shaped(values[term.node], u.shape) * u
                    except (ValueError, TypeError) as error:
                        raise Misfit(str(error)) from error
                    with np.errstate(all="ignore"):
                        total += term.factor * float(products.sum())
                        magnitude += abs(term.factor) * float(np.abs(products).sum())
            if not np.isfinite(total):
                return None
            pairs.append((total, 8 * float(np.finfo(float).eps) * magnitude, truth[0], truth[1]))
        nothing = self.nothing(claim)
        if all(max(abs(a), abs(n)) <= nothing for a, _, n, _ in pairs):
            return 1.0
        return _common_ratio(pairs)

    def nothing(self, claim: Claim) -> float:
        """What is roundoff in a slope along a parameter, beside the largest gradient."""
        return _NOTHING * self._largest * self._unit(claim)

    @cached_property
    def _largest(self) -> float:
        """The largest true slope per unit of a parameter."""
        sizes = [(self._truth(m.held.claim, 0), self._unit(m.held.claim)) for m in self.claims]
        return max((abs(truth[0]) / unit for truth, unit in sizes if truth is not None and unit), default=0.0)

    def _unit(self, claim: Claim) -> float:
        truth = self._truth(claim, 0)
        u = np.concatenate([np.ravel(d) for d in truth[2]]) if truth is not None else np.zeros(0)
        return float(np.sqrt(np.mean(u**2))) if u.size else 1.0


def _common_ratio(pairs: Sequence[tuple[float, float, float, float]]) -> float | None:
    """What `proportion` says of (a, error of a, n, error of n), in plain floats: 1 where both vanish."""
    size = max(max(abs(a), abs(n)) for a, _, n, _ in pairs)
    if size <= max(ea + en for _, ea, _, en in pairs):
        return 1.0
    if all(abs(n) <= 4 * en for _, _, n, en in pairs):
        return None
    value = sum(a * n for a, _, n, _ in pairs) / sum(n * n for _, _, n, _ in pairs)
    scale = max(abs(a) for a, _, _, _ in pairs) + abs(value) * max(abs(n) for _, _, n, _ in pairs)
    fits = all(abs(a - value * n) <= SAME * scale + 4 * (ea + abs(value) * en) for a, ea, n, en in pairs)
    return value if fits else None
