"""The cuts that explain all wrong gradients, and the statement that each of them accuses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..checks.gradients import Measured
from ..tape.adjoint import SAME, Claim, Tensor
from ..tape.algebra import Term
from ..tape.tape import Site
from .blame_cuts import Cut, Cuts, Part
from .blame_first import First, missing_reader
from .blame_given import where_given
from .blame_operands import wrong_factor, wrong_term
from .blame_together import owner
from .blame_unread import adjoints_there
from .blame_users import alias_site, go_apart, returned, run_again, users_of

if TYPE_CHECKING:
    from .blame import Blame, Root


def parts_of(blame: Blame, wrong: Sequence[Measured]) -> list[Part]:
    """The wrong gradients, one part for each wrong number of a list."""
    found = []
    for m in wrong:
        several = len(m.held.tensor.nodes) > 1
        for node, terms in zip(m.held.tensor.nodes, m.held.claim.terms, strict=True):
            claim = Claim(Tensor("", (node,)), (terms,))
            if several:
                ratio = blame.adjoints.ratio(claim, blame.objective)
                if ratio is not None and (ratio.right or blame.is_shared(ratio) or ratio.zero and ratio.value is not None):
                    continue
            ends = [t.node for t in terms]
            cone = blame.replay.upstream(ends, barrier=blame.cotangents.origins) & blame.cotangents.backward
            found.append(Part(m, claim, frozenset(cone)))
    return found


def chosen(blame: Blame, cuts: Sequence[Cut], count: int) -> list[tuple[Cut, set[int]]]:
    """Cuts that together account for as much as any can, each with the parts that are its own.

    The statement whose cuts account for most parts comes first, of equal ones that furthest up.
    """
    left = set(range(count))
    by_home: dict[object, list[Cut]] = defaultdict(list)
    for cut in cuts:
        by_home[blame.home(min(cut.nodes))].append(cut)
    groups = sorted(by_home.values(), key=lambda g: min(min(c.nodes) for c in g))
    found = []
    while left:
        group = max(groups, key=lambda g: len(set().union(*(c.parts for c in g)) & left), default=[])
        here = left & set().union(*(c.parts for c in group))
        if not here:
            break
        while here:
            best = max(group, key=lambda c: (len(c.parts & here), -min(c.nodes), len(c.nodes), max(c.targets)))
            if not best.parts & here:
                break
            found.append((best, best.parts & here))
            here -= best.parts
            left -= best.parts
    return found


def roots_by_cuts(blame: Blame, wrong: Sequence[Measured]) -> tuple[list[Root], list[Measured]]:
    """The roots that cuts give, and the gradients that no cut accounts for."""
    parts = parts_of(blame, wrong)
    there = adjoints_there(blame)
    cuts = [c for c in Cuts(blame, parts).found() if not (there.issuperset(c.targets) and _belongs_elsewhere(blame, c))]
    left = set(range(len(parts)))
    settled: list[Cut] = []
    sites: dict[object, Site] = {}
    roots = []
    picked = [(_last_of_statement(blame, cuts, cut, mine), mine) for cut, mine in chosen(blame, cuts, len(parts))]
    for cut, mine in sorted(picked, key=lambda p: min(p[0].nodes)):
        if len(mine) == 1 and set(cut.nodes) <= _ends(blame, parts[min(mine)]):
            continue
        if all(set(cut.targets) == {parts[k].node} and _is_looped(blame, parts[k], cut.nodes) for k in mine):
            continue  # the sum of what a loop adds up is wrong, and so may be what each turn hands to the next
        left -= mine
        home = blame.home(min(cut.nodes))
        shared = mine.union(*(other for c, other in picked if blame.home(min(c.nodes)) == home))
        root = _root(blame, cut, cuts, settled, parts, mine, shared)
        # what is wrong with a statement is told where it first ran, on right values
        root.site = sites.setdefault(home, root.site)
        roots.append(root)
        settled.append(cut)
    turns = {k for k in left if _is_looped(blame, parts[k])}
    roots += [_own_root(blame, parts[k]) for k in sorted(left - turns)]
    return roots, [m for m in wrong if any(parts[k].measured is m for k in turns)]


def _belongs_elsewhere(blame: Blame, cut: Cut) -> bool:
    """Whether the values of a cut are right, or by their names those of other forward values: they are read by mistake."""
    return all(blame.accepts(i) or blame.named_target(i) not in (None, *cut.targets) for i in cut.nodes)


def _is_looped(blame: Blame, part: Part, nodes: Sequence[int] = ()) -> bool:
    """Whether a gradient is summed up by a statement that reads values of another one in several turns of a loop."""
    own = {blame.home(i) for i in nodes or _ends(blame, part)}
    made = [i for i in part.cone if blame.home(i) in own and blame.nodes[i].kind in ("op", "write")]
    above = {j for i in made for j in blame.replay.inputs(i) if j in part.cone and blame.home(j) not in own}
    wrong = [j for j in above if not blame.is_adjoint(j) and j not in blame.cleared]
    return len(wrong) > 1


def _ends(blame: Blame, part: Part) -> set[int]:
    return {blame.replay.canonical[g] for g in part.claim.gradient_nodes}


def _own_root(blame: Blame, part: Part) -> Root:
    """Where nothing before a gradient accounts for it: the statement that makes it."""
    assert part.measured is not None
    node = _drifted(blame, part) or _wrong_share(blame, part) or max(_ends(blame, part))
    root = blame.make_root(node, part.node)
    root.instances = [node]
    root.affects = [part.measured.held.tensor.name]
    root.tensors = list(root.affects)
    if node in _ends(blame, part):
        blame.settle_site(root, part.measured)
    given = where_given(blame, part)
    if given is not None:
        root.site, root.ratio, root.names = given, None, []
    return root


def _wrong_share(blame: Blame, part: Part) -> int | None:
    """The term, made by another statement, that is wrong in a gradient: beside a weight decay that an update adds to it."""
    roles = {i: pair.target for i, pair in blame.cotangents.paired.items() if blame.accepts(i)}
    return wrong_term(blame, (max(_ends(blame, part)),), (part.node,), roles)


def _drifted(blame: Blame, part: Part) -> int | None:
    """The first value before a gradient that grew by broadcasting to a shape that nothing in the forward pass has."""
    shapes = {np.shape(blame.nodes[i].value) for i in blame.cotangents.forward | blame.cotangents.origins}
    for i in sorted(part.cone):
        node = blame.nodes[i]
        sizes = [np.size(blame.nodes[j].value) for j in node.inputs()]
        grown = node.kind == "op" and len(sizes) == 2 and min(sizes) > 1 and np.size(node.value) > max(sizes)
        if grown and not blame.is_product(i) and np.shape(node.value) not in shapes:
            return i
    return None


def _last_of_statement(blame: Blame, cuts: Sequence[Cut], cut: Cut, mine: set[int]) -> Cut:
    """Of the cuts at one statement that account for the same, the last: the statement's own value."""
    home = blame.home(cut.nodes[0])
    same = [c for c in cuts if blame.home(c.nodes[0]) == home and c.parts >= mine and len(c.nodes) == len(cut.nodes)]
    return max(same, key=lambda c: (min(c.nodes), max(c.targets)), default=cut)


def _root(
    blame: Blame,
    cut: Cut,
    cuts: Sequence[Cut],
    settled: Sequence[Cut],
    parts: Sequence[Part],
    mine: set[int],
    shared: set[int],
) -> Root:
    """The root of a cut; `shared` are the parts that all cuts at its statement account for."""
    site = None
    if _is_right(blame, cut) or _is_copy(blame, min(cut.nodes)) or _is_right_elsewhere(blame, cut, settled):
        cut, site = _where_taken(blame, cut, cuts, parts, mine, shared)
    first = min(cut.nodes)
    root = blame.make_root(first, cut.targets[cut.nodes.index(first)])
    if site is None:
        root, site = _at_operand(blame, root, cut, cuts, parts, mine)
    if site is None and root.node == first:
        site = _where_added(blame, first, cut.targets[cut.nodes.index(first)], root.site)
    root.instances = sorted(cut.nodes)
    if root.ratio is not None and abs(root.ratio - 1) <= 10 * SAME:
        root.ratio = None  # of the first of several, or of a value that is taken for another
    names = [(k, m.held.tensor.name) for k in sorted(mine) if (m := parts[k].measured) is not None]
    root.affects = list(dict.fromkeys(name for _, name in names))
    root.tensors = list(dict.fromkeys(name for k, name in names if cut.targets == (parts[k].node,)))
    root.site = site or root.site
    root.sure = site is None and not root.tensors and np.size(blame.nodes[first].value) > 1
    return root


def _where_added(blame: Blame, node: int, target: int, made: Site) -> Site | None:
    """Where a value lacks what one reader of its target passes on: the statement that takes it over beside that reader.

    What a block's caller adds to its result is added to its cotangent by the caller of its backward method.
    """
    reader = missing_reader(blame, node, target)
    read = None if reader is None else blame.nodes[reader].site
    if read is None or owner(read) == owner(made):
        return None
    bound = [b for b in blame.cotangents.names(node) if b.how == "assign" and owner(b.site) == owner(read)]
    return bound[0].site if bound else None


def _at_operand(
    blame: Blame, root: Root, cut: Cut, cuts: Sequence[Cut], parts: Sequence[Part], mine: set[int]
) -> tuple[Root, Site | None]:
    """The root at the term that is wrong in a sum, and the statement of the factor that is wrong in a product."""
    roles = {i: pair.target for i, pair in blame.cotangents.paired.items() if blame.accepts(i)}
    home = blame.home(min(cut.nodes))
    for other in sorted((c for c in cuts if c.parts >= mine), key=lambda c: max(c.targets)):
        roles.update(zip(other.nodes, other.targets, strict=True))
    for sums in [c for c in cuts if blame.home(min(c.nodes)) == home and c.parts >= mine]:
        term = wrong_term(blame, sums.nodes, sums.targets, roles)
        if term is not None:
            return blame.make_root(term, None), None
    if len(cut.nodes) == 1:
        added = First(blame, [m for k in sorted(mine) if (m := parts[k].measured) is not None]).added(root.node)
        if added is not None:
            return blame.make_root(added, None), None
    assert root.target is not None
    return root, wrong_factor(blame, root.node, root.target)


def _is_right(blame: Blame, cut: Cut) -> bool:
    """Whether the values of a cut are adjoints of other forward values: in a loop, by what each received."""
    nodes = sorted(cut.nodes)
    if not blame.is_adjoint(nodes[0]):
        return False
    return all(blame.is_adjoint(i) for i in nodes) or _is_right_elsewhere(blame, cut, [cut], nodes[1])


def _where_taken(
    blame: Blame, cut: Cut, cuts: Sequence[Cut], parts: Sequence[Part], mine: set[int], shared: set[int]
) -> tuple[Cut, Site | None]:
    """Where a value that is right is taken for the adjoint of something else.

    That is where a step changes nothing, or the value gets a second name; else where the one statement stands that reads
    it, or (several read it, that one is right in other calls, or its name says so) where it is made.
    """
    first = min(cut.nodes)
    again = _made_again(blame, first, parts, mine)
    if again is not None:
        return cut, again
    below = blame.replay.downstream([first])
    later = [c for c in cuts if c.targets == cut.targets and c.parts >= mine and min(c.nodes) in below and c is not cut]
    if later and _is_copy(blame, first):
        return min((c for c in later if not _is_copy(blame, min(c.nodes))), key=lambda c: min(c.nodes), default=cut), None
    if later:
        last = max(later, key=lambda c: min(c.nodes))
        if blame.home(min(last.nodes)) != blame.home(first):
            return last, None
        cut, first = last, min(last.nodes)
    users = users_of(blame, first, parts, shared)
    site = alias_site(blame, first, users)
    homes = {blame.home(i) for i in users} - {blame.home(first)}
    if (
        site is None
        and len(homes) == 1
        and not go_apart(blame, users, parts, shared)
        and not run_again(blame, users, parts, shared)
        and blame.named_target(first) not in cut.targets
    ):
        return cut, blame.nodes[min(users)].site
    return cut, site or returned(blame, first, cut.targets)


def _made_again(blame: Blame, node: int, parts: Sequence[Part], mine: set[int]) -> Site | None:
    """The statement that makes a value for wrong gradients only, where another one makes the same for right ones."""
    wrong = [m for k in mine if (m := parts[k].measured) is not None]
    right = [m for m in blame.check.measured if m.verdict == "right"]
    bad, good = (blame.really_made_of(g for m in ms for g in m.held.claim.gradient_nodes) for ms in (wrong, right))
    own = min((i for i in blame.cotangents.equals(node) if i in bad and i not in good), default=None)
    site = None if own is None else blame.nodes[own].site
    if own is None or site is None:
        return None
    value, above = blame.nodes[own].value, blame.really_made_of([own])
    others = [s for i in good - above if np.array_equal(blame.nodes[i].value, value) and (s := blame.nodes[i].site) is not None]
    return site if others and all(s.statement is not site.statement for s in others) else None


def _is_copy(blame: Blame, node: int) -> bool:
    """Whether a value is that of a forward value, and so no cotangent yet."""
    value = blame.nodes[node].value
    above = [i for i in blame.replay.inputs(node) if i not in blame.cotangents.backward]
    return any(np.array_equal(value, blame.nodes[i].value) for i in above)


def _is_right_elsewhere(blame: Blame, cut: Cut, settled: Sequence[Cut], node: int | None = None) -> bool:
    """Whether a value is what it must be of the roots it was made from, but as the adjoint of another forward value."""
    node = cut.nodes[0] if node is None else node
    above = blame.replay.upstream([node]) - {node}
    made_of = [c for c in settled if set(c.nodes) & above]
    if not made_of:
        return False
    shape = np.shape(blame.nodes[node].value)
    parts = [
        Part(None, Claim(Tensor("", (t,)), ((Term(1.0, node),),)), frozenset(above))
        for t in sorted(blame.cotangents.forward)
        if t not in cut.targets and np.shape(blame.nodes[t].value) == shape
    ]
    tried = Cuts(blame, parts)
    return any(tried.accounts_for(c, k) for c in made_of for k in range(len(parts)))
