"""Right gradients that two faults make right together: what one spoils, the other makes up for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .blame import Blame


def made_up(blame: Blame) -> set[str]:
    """The gradients that are right although a value with a name, of which they are made, is a wrong multiple of an adjoint."""
    off = {i for i in blame.cotangents.paired if _is_off(blame, i)}
    right = [m for m in blame.check.measured if m.verdict == "right" and off]
    barrier = blame.cotangents.origins
    return {m.held.tensor.name for m in right if off & blame.replay.upstream(m.held.claim.gradient_nodes, barrier=barrier)}


def _is_off(blame: Blame, i: int) -> bool:
    cotangents = blame.cotangents
    if i in cotangents.gradients or cotangents.paired[i].target in cotangents.origins or not cotangents.names(i):
        return False
    return not blame.is_adjoint(i) and not blame.accepts(i)
