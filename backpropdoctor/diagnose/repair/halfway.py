"""Two faults on the way to one gradient: the edit of one of them mends nothing yet, but what is left is a factor.

A gradient of several numbers that was not parallel to the truth does not become so by chance. The edit is kept for the
time being; the factor is a fault of its own, and only the program with both edits proves either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .best import EQUAL, Found, fingerprint
from .candidates import larger, simple
from .capture import Place
from .edited import Edited, Misfit
from .trial import FRESH, SEARCH

if TYPE_CHECKING:
    from .search import Search

_EFFORT = 150_000  # operations for one root
_MOST_FOUND = 8


def halfway(search: Search, places: Sequence[Place], mine: set[str]) -> list[Found]:
    """The simplest edits after which more of the gradients `mine` are parallel to the truth, and all others are as before."""
    before = search.trial.outcome(search.active)
    mine = {n for n in mine if before.ratios[n] is None and _can_tell(search, n)}
    if not mine:
        return []
    stop = search.trial.effort + _EFFORT
    scenes = search.usable_scenes(places)
    kept: dict[tuple[Place, tuple[object, ...]], Found] = {}
    limit = float("inf")
    for rank, scene, c in [*search.rows(scenes, lambda s: simple(s, search.steps)), *search.rows(scenes[:2], larger)]:
        if rank > limit or search.trial.effort > stop or len(kept) == _MOST_FOUND:
            break
        tried = search.tried(rank, scene, c)
        if tried is None or not tried.likely:
            continue
        gained = _gained(search, tried.edited, mine, before.ratios)
        if gained:
            key = (scene.place, fingerprint(search.trial.first_values(tried.edited)))
            kept.setdefault(key, Found(c, scene, tried.text, tried.edited, frozenset(gained), is_half=True))
            limit = min(limit, rank + EQUAL)
    return list(kept.values())


def _can_tell(search: Search, name: str) -> bool:
    """Whether a gradient has more than one number: any two numbers are parallel."""
    held = next(m.held for m in search.trial.claims if m.held.tensor.name == name)
    return sum(np.size(search.blame.nodes[i].value) for i in held.tensor.nodes) > 1


def _gained(search: Search, edited: Edited, mine: set[str], before: dict[str, float | None]) -> set[str]:
    """The gradients that are parallel to the truth under an edit, and were not."""
    for numbers in (SEARCH, FRESH):
        try:
            ratios = search.trial.outcome([*search.active, edited], numbers).ratios
        except Misfit:
            return set()
        gained = {n for n in mine if ratios.get(n)}
        if not gained or any(r is not None and not _close(r, ratios.get(n)) for n, r in before.items()):
            return set()
    return gained


def _close(a: float, b: float | None) -> bool:
    return b is not None and abs(a - b) <= 1e-6 * max(abs(a), abs(b))
