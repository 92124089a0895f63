"""The edits found so far, the simplest first."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .candidate import Candidate
from .capture import Place
from .edited import Edited
from .scene import Scene

FIRST_LARGER = 1.6  # what the second kind of edits costs at least, handicaps included
EQUAL = 0.12  # edits whose costs differ by less are equally simple
_BONUS = 1.2  # how much simpler an edit counts that mends the gradients of several roots
_LEFT = 1.0  # how much less simple one counts that leaves all gradients a factor of their own
SCALES = ("surplus-factor", "scaled")  # a number that is too many, or another one


@dataclass(slots=True)
class Found:
    """An edit that works: the candidate, where, and the gradients that are right under it."""

    candidate: Candidate
    scene: Scene
    text: str  # the new text, in brackets where it needs them
    edited: Edited
    right: frozenset[str]
    common: float | None = None  # the factor that all gradients share under it, where it is not one
    is_update: bool = False  # an edit of what is done with a right gradient
    is_half: bool = False  # something else is wrong besides; `right` are those that were not even parallel to the truth


@dataclass(slots=True)
class Tried:
    """An edit that runs, and whether what its statement makes is an adjoint."""

    rank: float
    scene: Scene
    candidate: Candidate
    text: str
    edited: Edited
    likely: bool


@dataclass(slots=True)
class Best:
    """The simplest edits so far. `mine` are the gradients to mend, `beyond` those of other roots, `excused` may stay wrong."""

    mine: set[str]
    beyond: set[str]
    excused: set[str]
    shared: Collection[Place]
    found: list[tuple[float, Found]] = field(default_factory=list)
    rank: float = 0.0
    limit: float = float("inf")

    def ends_before(self, rank: float) -> bool:
        """Whether nothing from this rank on can be as simple as what was found."""
        return self.limit < min(rank, FIRST_LARGER)

    def skips(self, rank: float, scene: Scene) -> bool:
        """Whether an edit is not worth a look: others are simpler, and it is not shared by several roots."""
        return rank > self.limit or bool(self.found and rank > self.rank + EQUAL and scene.place not in self.shared)

    @property
    def makes_up_for_a_scale(self) -> bool:
        """Whether all that was found is a number that is missing."""
        return all(f.candidate.kind == "scaled" and f.candidate.words.get("missing") for _, f in self.found)

    def is_said_by(self, tried: Tried) -> bool:
        """Whether an edit of another statement says the same as one that was found: that a certain term is missing."""
        own = tried.candidate
        same = [f.candidate for _, f in self.found if f.candidate.kind == own.kind and f.scene.place != tried.scene.place]
        return any(c.words.get("term") == own.words.get("term") is not None for c in same)

    def takes(self, found: Found, rank: float) -> bool:
        """Keep an edit that mends what it should; whether it mends all."""
        if self.mine - found.right - self.excused:
            return False
        plain = rank
        rank += 10 * len(self.mine - found.right) + (_LEFT if found.common is not None else 0.0)
        rank -= _BONUS if self.beyond & found.right else 0.0  # what mends several roots at once is what they share
        if not self.found or rank < self.rank - EQUAL:
            self.found, self.rank = [(rank, found)], rank
        elif rank < self.rank + EQUAL:
            self.found.append((rank, found))
            self.rank = min(rank, self.rank)
        if self.mine <= found.right:
            self.limit = self.rank + EQUAL + (_BONUS if self.shared and self.beyond - found.right else 0.0)
            return True
        self.limit = min(self.limit, plain + 3 * EQUAL)  # the others are left to the other roots
        return False


def names_another(first: Found, other: Found) -> bool:
    """Whether an edit of the same values puts another variable there, so that only its writer knows which one is meant.

    That is another whole number, or another array that is equal but for roundoff: in another step it may differ.
    """
    names = [f.candidate.new for f in (first, other)]
    values = [f.scene.evaluate(n) for f, n in zip((first, other), names, strict=True) if n.isidentifier()]
    if len(values) < 2 or names[0] == names[1]:
        return False
    if all(isinstance(v, (int, np.integer)) for v in values):
        return True
    return all(isinstance(v, np.ndarray) for v in values) and not np.array_equal(*values)


def fingerprint(values: list[Any]) -> tuple[Any, ...]:
    rows: list[Any] = []
    for v in values:
        if isinstance(v, float):
            rows.append(((), round(v, 12) if math.isfinite(v) else str(v)))
        elif isinstance(v, (np.ndarray, np.generic, int, float)):
            a = np.asarray(v)
            rows.append((a.shape, np.round(a.astype(float), 12).tobytes()) if a.dtype.kind in "fiub" else repr(v)[:200])
        else:
            rows.append(repr(v))
    return tuple(rows)
