"""The roots of values that are updated with no gradient at all, or that their gradient takes the place of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..checks.gradients import Measured
from ..tape.tape import Site

if TYPE_CHECKING:
    from .blame import Blame, Root


def roots_of_claims(blame: Blame, wrong: list[Measured]) -> list[Root]:
    """One root for each: the update, where what it takes has another use; else the statement that made it."""
    claims = [m for m in wrong if m.held.evidence != "update" or _takes_a_parameter(blame, m)]
    return [_root(blame, m) for m in claims if _step_site(blame, m) is not None]


def _takes_a_parameter(blame: Blame, m: Measured) -> bool:
    """Whether what a value is updated with is another parameter, before its update or after it."""
    canon = blame.replay.canonical
    nodes = {canon[i] for i in m.held.claim.gradient_nodes}
    return len(nodes) == 1 and nodes <= (blame.cotangents.origins | blame.replay.borders) - set(m.held.tensor.nodes)


def _root(blame: Blame, m: Measured) -> Root:
    node = blame.replay.canonical[m.held.claim.gradient_nodes[-1]]
    root = blame.make_root(node, m.held.tensor.nodes[0])
    root.instances, root.affects, root.tensors = [node], [m.held.tensor.name], [m.held.tensor.name]
    site = _step_site(blame, m)
    assert site is not None
    if m.held.evidence != "company" or _has_another_use(blame, m, site):
        root.site, root.names = site, [m.held.tensor.name]
    if m.held.evidence == "replaced":
        root.ratio = None
    return root


def _step_site(blame: Blame, m: Measured) -> Site | None:
    site = m.held.update.site if m.held.update is not None else None
    if m.held.evidence == "update":
        site = blame.update_site(m, m.held.claim.gradient_nodes[-1])
    return site or blame.nodes[m.held.claim.gradient_nodes[-1]].site


def _has_another_use(blame: Blame, m: Measured, site: Site) -> bool:
    """Whether what a step takes for a gradient was made for something else, or is nothing that a statement makes."""
    node = blame.replay.canonical[m.held.claim.gradient_nodes[-1]]
    made = blame.nodes[node].site
    if made is None or made.statement is site.statement or node in blame.cotangents.origins:
        return True
    readers = (blame.nodes[i].site for i in blame.replay.index.consumers.get(node, ()))
    return any(r is not None and r.statement is not site.statement for r in readers)
