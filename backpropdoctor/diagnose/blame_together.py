"""Causes that several wrong gradients have in common, or that show in what was read too late: tried before single blame."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks.cotangents import Paired
from ..checks.gradients import Measured
from ..errors import ReplayError
from ..tape.adjoint import SAME, proportion, shaped
from ..tape.tape import Site
from .blame_unread import adjoints_there

if TYPE_CHECKING:
    from .blame import Blame, Root

_FAR = 8  # operations between a parameter and its update


def all_uphill(blame: Blame, wrong: list[Measured]) -> list[Root] | None:
    """Where every gradient is the negative of the true one: the statement that makes the first cotangent that is so too.

    Where the negative sign is that of the updates only, it is the first cotangent.
    """
    measured = [m for m in blame.check.measured if m.ratio is None or not m.ratio.zero]
    values = [m.ratio.value if m.ratio else None for m in measured]
    if len(values) < 2 or len(wrong) != len(measured):
        return None
    first = values[0]
    if first is None or first >= 0 or any(v is None or abs(v - first) > SAME * 10 * abs(first) for v in values):
        return None
    cotangents = blame.cotangents
    named = [
        i
        for i, pair in sorted(cotangents.paired.items())
        if i not in cotangents.gradients and pair.target not in cotangents.origins and blame.nodes[i].site is not None
    ]
    if not named:
        return None
    above = [blame.replay.upstream([i]) for m in wrong for i in m.held.claim.gradient_nodes]
    begin = next((i for i in named if cotangents.paired[i].ratio < 0), named[0])
    if not all(begin in seen for seen in above):
        return None
    root = blame.make_root(begin, cotangents.paired[begin].target)
    root.ratio = first
    root.instances = [begin]
    root.affects = [m.held.tensor.name for m in wrong]
    return [root]


def read_too_late(blame: Blame, m: Measured) -> int | None:
    """The node that reads a parameter after its update, where the value before the update makes the gradient right."""
    replay, held = blame.replay, m.held
    gradient = list(held.claim.gradient_nodes)
    origins = blame.cotangents.origins
    above = replay.upstream(gradient, barrier=origins)
    late = {b: o for b in above & replay.borders if b not in origins and (o := _origin_of(blame, b)) is not None}
    if not late or any(replay.canonical[g] in late for g in gradient):
        return None
    try:
        values = replay.evaluate(gradient, {b: replay.base(o) for b, o in late.items()})
    except ReplayError:
        return None
    if not right_with(blame, m, dict(zip(gradient, values, strict=True))):
        return None
    readers = [i for i in above if any(j in late for j in replay.inputs(i)) and i not in replay.borders]
    return min((i for i in readers if blame.nodes[i].site is not None), default=None)


def second_name(blame: Blame, late: int) -> Site | None:
    """The statement that gave a parameter a second name instead of keeping its value, where `late` reads that name."""
    site = blame.nodes[late].site
    if site is None:
        return None
    read = {n.id for n in ast.walk(site.statement) if isinstance(n, ast.Name)}
    found = []
    for border in blame.replay.inputs(late):
        origin = _origin_of(blame, border) if border in blame.replay.borders else None
        if origin is None:
            continue
        own = {b.name for b in blame.cotangents.names(border) if b.how == "augmented"}
        bound = blame.cotangents.names(origin) + blame.cotangents.names(border)
        found += [b for b in bound if b.how == "assign" and b.name in read - own and b.at <= late]
    return max(found, key=lambda b: b.at).site if found else None


def right_with(blame: Blame, m: Measured, values: dict[int, Any]) -> bool:
    """Whether a gradient is right, up to the common scale, if its nodes had other values."""
    held, pairs = m.held, []
    for number in (0, 1):
        truth = blame.adjoints.slope(held.tensor, blame.objective, number)
        if truth is None:
            return False
        mine = 0.0
        for node, terms in zip(held.tensor.nodes, held.claim.terms, strict=True):
            u = blame.adjoints.direction(node, number)
            try:
                mine += sum(t.factor * float(np.sum(shaped(values[t.node], u.shape) * u)) for t in terms)
            except ValueError:
                return False
        pairs.append((mine, 1e-13 * abs(mine), truth.value, truth.error))
    value = proportion(pairs).value
    return value is not None and any(abs(value - s) <= 10 * SAME * abs(s) for s in (1.0, blame.check.uniform))


def without_inherited(blame: Blame, roots: list[Root]) -> list[Root]:
    """The roots without those that are right once the values that earlier roots make are: a number for a number."""
    kept: list[Root] = []
    wrong = {m.held.tensor.name: m for m in blame.check.wrong}
    for root in sorted(roots, key=lambda r: min(r.instances)):
        mended = {
            i: np.asarray(blame.replay.base(i)) / r.ratio
            for r in kept
            if r.ratio and len(r.instances) and r.node == min(r.instances) and r.node not in blame.cotangents.gradients
            for i in (r.node,)
        }
        names = [n for n in root.affects if n in wrong]
        gradient = [g for n in names for g in wrong[n].held.claim.gradient_nodes]
        if mended and gradient and set(mended) & blame.replay.upstream(gradient):
            try:
                values = dict(zip(gradient, blame.replay.evaluate(gradient, mended), strict=True))
            except ReplayError:
                values = {}
            if values and all(right_with(blame, wrong[n], values) for n in names):
                for r in kept:
                    if r.node in blame.replay.upstream(gradient):
                        r.affects += [n for n in names if n not in r.affects]
                continue
        kept.append(root)
    return kept


def _origin_of(blame: Blame, border: int) -> int | None:
    """The parameter of this step whose update made a value."""
    shape = np.shape(blame.nodes[border].value)
    level = [border]
    for _ in range(_FAR):
        level = [j for i in level for j in blame.replay.inputs(i) if np.shape(blame.nodes[j].value) == shape]
        found = [j for j in level if j in blame.cotangents.origins]
        if found:
            return found[0]
    return None


def taken_for_another(blame: Blame, roots: list[Root]) -> list[Root]:
    """Roots that are all right once one cotangent is the adjoint of another value: then that cotangent is the root.

    `dZ1 = W2.T @ dZ2` is exactly the adjoint of A1; what reads it takes it for that of Z1. Its name, or two statements
    that agree, must say so. Where the other adjoint is there as well, each of those that read it reads the wrong one.
    """
    readings: dict[tuple[int, int], list[Root]] = defaultdict(list)
    there = adjoints_there(blame)
    for root in roots:
        if root.target is None:
            continue
        for pair in root.received:
            if pair.node in blame.cleared:
                continue
            role = blame.other_role(root, pair)
            if role is not None and role not in there:
                readings[pair.node, role].append(root)
    best = max(readings.items(), key=lambda r: len({x.node for x in r[1]}), default=None)
    if best is None:
        return roots
    (node, role), members = best
    named = blame.named_target(node) == role
    if len({r.span.line for r in members}) < 2 and not named:
        return roots
    one = blame.make_root(node, role)
    one.instances = [node]
    _move_to_alias(blame, one, min(r.node for r in members))
    one.affects = list(dict.fromkeys(a for r in members for a in r.affects))
    rest = [r for r in roots if r not in members]
    return taken_for_another(blame, rest) + [one] if rest else [one]


def _move_to_alias(blame: Blame, root: Root, used: int) -> None:
    """Where a value got a second name before it was used (`dZ1 = dA1`), that is where the step between was left out."""
    names = blame.cotangents.names(root.node)
    bound = [b for b in names if b.how in ("assign", "augmented") and b.at <= used and (renames(b.site) or b is names[0])]
    if bound and bound[-1].site.statement_span != root.site.statement_span and len(bound) > 1:
        root.site = bound[-1].site
        root.names = [bound[-1].name]


def renames(site: Site) -> bool:
    """Whether a statement does nothing but give a value another name."""
    value = getattr(site.statement, "value", None)
    return isinstance(site.statement, ast.Assign) and isinstance(value, (ast.Name, ast.Attribute, ast.Subscript))


def changes_nothing(statement: ast.stmt) -> bool:
    """Whether a statement gives a value the name that it has already: `dc = dc`."""
    return isinstance(statement, ast.Assign) and all(ast.unparse(t) == ast.unparse(statement.value) for t in statement.targets)


def owner(site: Site) -> str:
    """The class in whose method a statement stands, or the function."""
    return site.function.rpartition(".")[0] or "<module>"


def reading_of(blame: Blame, root: Root, pair: Paired) -> int | None:
    """The forward value whose adjoint `pair.node` would have to be for a root to be right; None where there is none."""
    assert root.target is not None
    shape = tuple(n for n in np.shape(blame.nodes[pair.node].value) if n != 1)
    others = [p for p in root.received if p.node != pair.node]
    inside = blame.replay.downstream([root.target]) & blame.cotangents.forward
    for candidate in sorted(inside, reverse=True):
        if candidate in (root.target, pair.target):
            continue
        if tuple(n for n in np.shape(blame.nodes[candidate].value) if n != 1) != shape:
            continue
        ratio = blame.local_ratio(root.node, root.target, [Paired(pair.node, candidate, 1.0), *others])
        if ratio is not None and ratio > 0 and blame.usual(ratio):
            return candidate
    return None
