"""Gradients that are right adjoints, of something else or of one use only: blamed where they were given their place.

What a step adds up over samples, or keeps in a list, is made right and then put where another one belongs, or put in the
place of those before it. Neither is a fault of the statement that made it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..tape.adjoint import Claim, close
from ..tape.algebra import Algebra
from ..tape.tape import Binding, Site

if TYPE_CHECKING:
    from .blame import Blame
    from .blame_cuts import Part

_NEAR = 3  # operations between a parameter and the value whose adjoint is a share of its gradient


def where_given(blame: Blame, part: Part) -> Site | None:
    """The statement that gave a gradient, or all that is added up in it, a place that is another one's; None for none."""
    addends = _addends(blame, part.claim)
    right = [m for m in blame.check.measured if m.verdict == "right"]
    taken = {i for m in right for i in _addends(blame, m.held.claim)}  # what stands where it belongs, and is read by another
    if not addends or taken.intersection(addends) or not all(blame.is_adjoint(i) for i in addends):
        return None
    uses = _uses(blame, part.node)
    own = [i for i in addends if _belongs(blame, i, uses)]
    if not own:
        given = [_given(blame, i) for i in addends]
        sites = [found[0].site for found in given if found]
        same = len(sites) == len(addends) and all(s.statement is sites[0].statement for s in sites)
        return sites[0] if same else None
    if own == addends and len(addends) == 1 and len(blame.replay.consumers.get(part.node, ())) > 1:
        found = _given(blame, addends[0])
        return found[-1].site if found and found[-1].how == "element" else None
    return None


def _addends(blame: Blame, claim: Claim) -> list[int]:
    """What a gradient is the sum of, one for each use of the parameter: without what no cotangent went into."""
    algebra, canonical = Algebra(blame.replay), blame.replay.canonical
    found: dict[int, None] = {}
    stack = list(claim.gradient_nodes)
    while stack:
        i = stack.pop()
        terms = [t.node for t in algebra.terms(i)]
        if terms == [i]:
            found[canonical[i]] = None
        else:
            stack += terms[::-1]  # of a long sum some are sums themselves
    return [i for i in found if i in blame.cotangents.backward]


def _uses(blame: Blame, node: int) -> set[int]:
    """The forward values that a parameter goes into directly."""
    found, level = {node}, {node}
    for _ in range(_NEAR):
        shape = {i for i in level if i == node or blame.nodes[i].kind == "view"}
        level = {j for i in shape for j in blame.replay.consumers.get(i, ())} - found
        found |= level
    return found


def _belongs(blame: Blame, node: int, uses: set[int]) -> bool:
    """Whether a value is the adjoint of one of some forward values."""
    pair = blame.cotangents.paired[node]
    if pair.target in uses:
        return True
    shape = np.shape(blame.nodes[pair.target].value)
    ratios = (blame.cotangents.ratio(node, u) for u in sorted(uses) if np.shape(blame.nodes[u].value) == shape)
    return any(r is not None and r.value is not None and not r.zero and close(r.value, pair.ratio) for r in ratios)


def _given(blame: Blame, node: int) -> list[Binding]:
    """What gave a value a place, each by a statement other than the one that made it."""
    made = blame.nodes[node].site
    return [
        b
        for b in blame.cotangents.names(node)
        if b.how in ("assign", "element") and (made is None or b.site.statement is not made.statement) and len(b.parts) > 1
    ]
