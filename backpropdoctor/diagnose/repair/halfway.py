"""Two faults on the way to one gradient: the edit of one of them makes no gradient right yet.

A gradient of several numbers that was not parallel to the truth does not become so by chance: what is left is a factor. Nor
does a value become the adjoint that it is named for. Such an edit is kept for the time being; what is wrong besides is a
fault of its own, and only the program with both edits proves either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ...tape.adjoint import close
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
    """The simplest edits that make an adjoint of what is named for it, of the first such statement of the backward pass.

    Where these are simpler: those after which more of the gradients `mine` are parallel to the truth, and no other changes.
    """
    before = search.trial.outcome(search.active)
    parallel = {n for n in mine if before.ratios[n] is None and _can_tell(search, n)}
    stop = search.trial.effort + _EFFORT
    scenes = search.usable_scenes(places)
    gained: dict[object, tuple[float, Found]] = {}
    meant: dict[object, tuple[float, Found]] = {}
    for rank, scene, c in [*search.rows(scenes, lambda s: simple(s, search.steps)), *search.rows(scenes[:2], larger)]:
        if search.trial.effort > stop or len(meant) + len(gained) > _MOST_FOUND:
            break
        tried = search.tried(rank, scene, c)
        if tried is None or not tried.likely:
            continue
        found = Found(c, scene, tried.text, tried.edited, frozenset(), is_half=True)
        key = (scene.place, fingerprint(search.trial.first_values(tried.edited)))
        is_meant = _is_meant(search, tried.edited) and _keeps(search, tried.edited, before.ratios)
        if parallel and _gains(search, tried.edited, parallel, before.ratios):
            gained.setdefault(key, (rank - is_meant, found))
        elif is_meant:
            meant.setdefault(key, (rank, found))
    if meant and min(rank for rank, _ in meant.values()) < min((rank for rank, _ in gained.values()), default=float("inf")):
        first = min((f.scene.place for _, f in meant.values()), key=lambda p: search.trial.moments[p][0].at)
        return _simplest([row for row in meant.values() if row[1].scene.place == first])
    return _simplest(list(gained.values()))


def _simplest(rows: Sequence[tuple[float, Found]]) -> list[Found]:
    best = min((rank for rank, _ in rows), default=0.0)
    return [found for rank, found in rows if rank < best + EQUAL]


def _is_meant(search: Search, edited: Edited) -> bool:
    """Whether a statement makes the adjoint that its result is named for under an edit, and did not before.

    Where the backward pass holds no adjoint at all yet, that of any forward value is what it may begin with.
    """
    blame = search.blame
    begins = not any(blame.accepts(i) for i in blame.cotangents.paired)
    moment = search.trial.moments[edited.place][0]
    try:
        values = search.trial.first_values(edited, 1)
    except Misfit:
        return False
    for (_, node), value in zip(moment.outs, values, strict=False):
        if begins and np.size(value) > 1 and search.guide.likes([value]):
            return True
        target = blame.named_target(blame.replay.canonical[node])
        if target is None or blame.accepts(blame.replay.canonical[node]) or np.size(value) < 2:
            continue
        meant = blame.adjoints.adjoint(target, blame.objective)
        if meant is None or np.size(meant) != np.size(value):
            continue
        made, meant = np.ravel(np.asarray(value, dtype=float)), np.ravel(meant)
        if _parallel(np.ravel(np.asarray(blame.replay.base(node), dtype=float)), meant):
            continue  # as it stands
        ratio = float(made @ meant) / (float(meant @ meant) or 1.0)
        good = [sign * r for r in (*search.trial.good_ratios, blame.cotangents.scale or 1.0) for sign in (1, -1)]
        if any(_close(ratio, r) for r in good) and _parallel(made, meant):
            return True
    return False


def _parallel(made: np.ndarray, meant: np.ndarray) -> bool:
    if made.shape != meant.shape:
        return False
    ratio = float(made @ meant) / (float(meant @ meant) or 1.0)
    return bool(np.allclose(made, ratio * meant, rtol=1e-6, atol=1e-9 * np.abs(made).max()))


def _can_tell(search: Search, name: str) -> bool:
    """Whether a gradient has more than one number: any two numbers are parallel."""
    held = next(m.held for m in search.trial.claims if m.held.tensor.name == name)
    return sum(np.size(search.blame.nodes[i].value) for i in held.tensor.nodes) > 1


def _gains(search: Search, edited: Edited, mine: set[str], before: dict[str, float | None]) -> bool:
    """Whether a gradient is parallel to the truth under an edit that was not, and all others are as before."""
    return all(
        _keeps(search, edited, before, numbers)
        and any(search.trial.outcome([*search.active, edited], numbers).ratios.get(n) for n in mine)
        for numbers in (SEARCH, FRESH)
    )


def _keeps(search: Search, edited: Edited, before: dict[str, float | None], numbers: tuple[int, ...] = SEARCH) -> bool:
    """Whether all gradients that are a multiple of the truth remain the same multiple of it."""
    try:
        ratios = search.trial.outcome([*search.active, edited], numbers).ratios
    except Misfit:
        return False
    return all(r is None or _close(r, ratios.get(n)) for n, r in before.items())


def _close(a: float, b: float | None) -> bool:
    return b is not None and close(a, b)
