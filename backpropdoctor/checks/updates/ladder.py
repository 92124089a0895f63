"""The ladder of causes, in its order: what is exact and bitwise first, advice last; one cause speaks of a parameter."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...finding import Finding
from .causes.direction import ascent
from .causes.keys import integers, keys, shapes
from .causes.lockstep import accumulated, aliased, stale, symmetric
from .causes.ratios import advice
from .causes.rounding import rounding
from .causes.still import still
from .causes.zero import zero, zero_start
from .scene import Scene

Cause = Callable[[Scene], Iterator[Finding]]

RUNGS: tuple[Cause, ...] = (
    shapes,
    integers,
    keys,
    rounding,
    still,
    zero_start,
    zero,
    symmetric,
    aliased,
    accumulated,
    stale,
    ascent,
    advice,
)


def climb(scene: Scene) -> list[Finding]:
    """The findings of all rungs. Where a value is not finite there are none: that is the non-finite tracer's."""
    if scene.history.nonfinite is not None:
        return []
    return [finding for rung in RUNGS for finding in rung(scene)]
