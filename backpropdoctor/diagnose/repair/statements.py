"""The statements in which a root may be mended: the blamed one, what made its operands, what called it."""

from __future__ import annotations

import ast
from collections.abc import Collection
from functools import lru_cache

from ...tape.tape import Site, Tape
from ..blame import Blame, Root
from .capture import Place

_MOST_STATEMENTS = 8
_MOST_FURTHER = 12
_SHAPES = {"T", "transpose", "reshape", "ravel", "flatten", "atleast_2d", "squeeze"}


def home(site: Site) -> tuple[Place, ast.stmt]:
    """The statement that a value is made in, or the body of the lambda, which is one by itself: `return` and the body."""
    for node in _lambdas(site.statement):
        if any(n is site.node for n in ast.walk(node.body)):
            body = ast.copy_location(ast.Return(node.body), node.body)
            return Place.at(site.span.path, body), body
    return Place.of(site), site.statement


@lru_cache(maxsize=4096)
def _lambdas(statement: ast.stmt) -> tuple[ast.Lambda, ...]:
    return tuple(n for n in ast.walk(statement) if isinstance(n, ast.Lambda))


def statements_of(blame: Blame, root: Root) -> dict[Place, ast.stmt]:
    """The blamed statement, then those that made its operands, then those that called it."""
    found: dict[Place, ast.stmt] = dict([home(root.site)])
    tape: Tape = blame.replay.tape
    forward = blame.cotangents.forward
    sites = [tape.nodes[j].site for j in forward]
    forward_places = {home(site)[0] for site in sites if site is not None}
    level, seen = list(dict.fromkeys(root.instances))[:8], set(root.instances)
    while level and len(found) < _MOST_STATEMENTS:
        following = []
        for i in level:
            for j in blame.replay.inputs(i):
                if j in seen or j in blame.cotangents.origins:
                    continue
                seen.add(j)
                if j in forward and j not in blame.cotangents.backward:
                    continue
                site = tape.nodes[j].site if tape.nodes[j].kind != "leaf" else _filled(blame, i, j)
                if site is not None and home(site)[0] in forward_places:
                    site = _asked_for(blame, i, j)
                if site is not None and home(site)[0] not in forward_places:
                    found.setdefault(*home(site))
                if not blame.accepts(j):
                    following.append(j)
        level = following
    for pair in root.received:
        for i in (pair.node, *blame.replay.inputs(pair.node)):
            site = tape.nodes[i].site
            if site is not None and i in blame.cotangents.backward and len(found) < _MOST_STATEMENTS + 2:
                found.setdefault(*home(site))
    for site in [*_renamings(blame, root, seen & blame.cotangents.backward), *_choosers(blame, root, forward_places)]:
        found.setdefault(*home(site))
    for site in _readers(blame, root):
        found.setdefault(*home(site))
    for call in _callers(tape, root):
        if len(found) < _MOST_STATEMENTS + 2:
            found.setdefault(Place.of(call), call.statement)
    return found


def _renamings(blame: Blame, root: Root, read: Collection[int]) -> list[Site]:
    """The statements that only pass on a root, or what it is made of: `dz = da`, `return dout`."""
    nodes, found = blame.replay.tape.nodes, {}
    for i in [*dict.fromkeys(root.instances), *(p.node for p in root.received), *sorted(read, reverse=True)]:
        own = {_statement(nodes[j].site) for j in (i,)}
        for b in blame.cotangents.names(i):
            if b.how in ("assign", "return") and b.site.statement not in own and b.at >= i:
                if isinstance(b.site.statement, (ast.Assign, ast.Return)):
                    value = b.site.statement.value
                    if isinstance(value, (ast.Name, ast.Attribute, ast.Subscript)):
                        found[Place.of(b.site)] = b.site
    return list(found.values())[:4]


def _choosers(blame: Blame, root: Root, forward_places: Collection[Place]) -> list[Site]:
    """The statements that chose which value of the forward pass a root reads: `inputs = [n["output"] for n in layers[i]]`."""
    found: dict[Place, Site] = {}
    for i in list(dict.fromkeys(root.instances))[:8]:
        for j in (_looked_at(blame, k) for k in blame.replay.inputs(i)):
            if j not in blame.cotangents.forward or j in blame.cotangents.backward:
                continue
            chosen = [b for b in blame.cotangents.names(j) if b.how in ("assign", "element") and b.at <= i]
            if chosen and home(chosen[-1].site)[0] not in forward_places:
                found[home(chosen[-1].site)[0]] = chosen[-1].site
    return list(found.values())[:4]


def _asked_for(blame: Blame, i: int, j: int) -> Site | None:
    """The statement that gave a name to what a function of the forward pass made for the backward pass: `p = softmax(x)`."""
    named = [b.site for b in blame.cotangents.names(j) if b.how == "assign" and b.at <= i]
    return named[-1] if named and isinstance(named[-1].statement, ast.Assign) else None


def _filled(blame: Blame, i: int, j: int) -> Site | None:
    """The statement that made an array of constants which a write fills in part: `row = np.zeros(3)`."""
    made = [b.site for b in blame.cotangents.names(j) if b.how == "assign" and b.at <= i]
    return made[-1] if made and blame.nodes[i].kind == "write" and isinstance(made[-1].statement, ast.Assign) else None


def _looked_at(blame: Blame, i: int) -> int:
    """The value that an operand is another shape of: `x` for `x.T`."""
    while blame.replay.tape.nodes[i].name in _SHAPES and len(blame.replay.inputs(i)) == 1:
        i = blame.replay.inputs(i)[0]
    return i


def further_statements(blame: Blame, root: Root) -> dict[Place, ast.stmt]:
    """All statements between the right cotangents and the gradients that are wrong because of a root."""
    canonical, tape = blame.replay.canonical, blame.replay.tape
    wrong = [
        canonical[t.node]
        for m in blame.check.measured
        if m.held.tensor.name in root.affects
        for ts in m.held.claim.terms
        for t in ts
    ]
    found: dict[Place, ast.stmt] = {}
    for i in sorted(blame.replay.upstream(wrong, barrier=blame.cotangents.origins) & blame.cotangents.backward):
        site = tape.nodes[i].site
        if site is not None and not blame.accepts(i):
            found.setdefault(*home(site))
    return dict(list(found.items())[:_MOST_FURTHER])


def _readers(blame: Blame, root: Root) -> list[Site]:
    """The statements that read what the blamed one changed in place: that it came too early may be the fault."""
    nodes, consumers = blame.replay.tape.nodes, blame.replay.consumers
    home = root.site.statement
    own, level = set(root.instances), set(root.instances)
    while level:
        level = {j for i in level for j in consumers.get(i, ()) if j not in own and _statement(nodes[j].site) is home}
        own |= level
    written = {i for i in own if nodes[i].kind == "write" or i in blame.cotangents.origins}
    level, found = written, []
    for _ in range(3):
        level = {j for i in level for j in consumers.get(i, ()) if j <= max(blame.cotangents.backward)}
        found += [s for s in (nodes[j].site for j in sorted(level)) if s is not None and s.statement is not home]
    return found[:4]


def _statement(site: Site | None) -> ast.stmt | None:
    return site.statement if site is not None else None


def _callers(tape: Tape, root: Root) -> list[Site]:
    found: list[Site] = []
    scope = tape.scopes.get(tape.nodes[root.node].scope)
    while scope is not None and scope.call is not None and len(found) < 2:
        found.append(scope.call)
        scope = tape.scopes.get(scope.parent) if scope.parent is not None else None
    return found
