"""All candidates for a statement, the simplest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ...tape.steps import Steps
from .candidate import Candidate
from .candidates_calls import calls
from .candidates_derivatives import chains, derivatives
from .candidates_factors import factors
from .candidates_formulas import slope_terms
from .candidates_indices import everywhere, indices
from .candidates_missing import missing_factors, softmax_jacobians
from .candidates_names import inside, numbers, other_names, renamed, swapped
from .candidates_operators import conditions, operators, signs, statements, transposes
from .candidates_order import too_early
from .candidates_terms import terms, unread
from .scene import Scene

Maker = Callable[[Scene], Iterable[Candidate]]
_SIMPLE: tuple[Maker, ...] = (
    operators,
    transposes,
    signs,
    conditions,
    statements,
    indices,
    everywhere,
    numbers,
    other_names,
    renamed,
    swapped,
    inside,
    calls,
    factors,
    unread,
)
_LARGER: tuple[Maker, ...] = (terms, slope_terms, derivatives, missing_factors, chains, softmax_jacobians)
_MOST = 6000


def simple(scene: Scene, steps: Steps) -> list[Candidate]:
    """One thing exchanged for another, dropped, or scaled."""
    return [*too_early(scene, steps), *_made(scene, _SIMPLE)]


def larger(scene: Scene) -> list[Candidate]:
    """Something added that was not there: a term, a derivative."""
    return _made(scene, _LARGER)


def candidates(scene: Scene, steps: Steps) -> list[Candidate]:
    """Every edit worth a try, in the order of its cost."""
    return sorted([*simple(scene, steps), *larger(scene)], key=lambda c: c.cost)


def _made(scene: Scene, makers: Iterable[Maker]) -> list[Candidate]:
    found: dict[tuple[int, str], Candidate] = {}
    for maker in makers:
        for count, row in enumerate(maker(scene)):
            if count >= _MOST:
                break
            if scene.within is None or id(row.old) in scene.within:
                known = found.get((id(row.old), row.new))
                if known is None or row.cost < known.cost:
                    found[id(row.old), row.new] = row
    return list(found.values())
