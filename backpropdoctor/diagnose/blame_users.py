"""What reads a backward value on the way to wrong gradients, and under which name."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ..tape.tape import Binding, Site
from .blame_together import renames

if TYPE_CHECKING:
    from .blame import Blame
    from .blame_cuts import Part


def users_of(blame: Blame, node: int, parts: Sequence[Part], mine: set[int]) -> list[int]:
    """What reads a value on the way to the gradients of some parts."""
    cone = set().union(*(parts[k].cone for k in mine))
    return [i for i in blame.replay.consumers.get(node, ()) if i in cone] or [node]


def alias_site(blame: Blame, node: int, users: Sequence[int]) -> Site | None:
    """The statement that takes a value over unchanged before it is used: an identity function's return, a second name."""
    used = min(users)
    bound = [b for b in blame.cotangents.names(node) if b.at <= used and b.how in ("assign", "augmented", "return", "argument")]
    arguments = {b.scope for b in bound if b.how == "argument"}
    through = [b for b in bound if b.how == "return" and b.scope in arguments]
    if through:
        return through[-1].site
    made = blame.nodes[node].site
    names = [b for b in bound if b.how in ("assign", "augmented")]
    names = [b for k, b in enumerate(names) if k == 0 or renames(b.site)]  # what a call hands on was named in it
    while len(names) > 1 and _is_read_as(blame, names[-2], users, names[-1].site):
        names.pop()
    if len(names) > 1 and made is not None and names[-1].site.statement_span != made.statement_span:
        return names[-1].site
    return None


def returned(blame: Blame, node: int, targets: Collection[int]) -> Site | None:
    """The return of a variable whose name says that it belongs to another value than the caller takes it for."""
    own = blame.named_target(node)
    if own is None or own in targets:
        return None
    handed = [b.site for b in blame.cotangents.names(node) if b.how == "return"]
    return next((s for s in handed if isinstance(getattr(s.statement, "value", None), ast.Name)), None)


def _is_read_as(blame: Blame, binding: Binding, users: Sequence[int], later: Site) -> bool:
    """Whether what is wrong reads a value under a name that it had before a later statement gave it another one."""
    for i in users:
        site = blame.nodes[i].site
        if site is not None and site.function == later.function and site.statement is not later.statement:
            if any(ast.unparse(n) == binding.name for n in ast.walk(site.statement) if isinstance(n, ast.expr)):
                return True
    return False


def go_apart(blame: Blame, users: Sequence[int], parts: Sequence[Part], shared: set[int]) -> bool:
    """Whether one statement reads a value in several expressions, for different gradients: `W=d @ x.T, b=d.sum(1)`."""
    ways: dict[object, set[int]] = defaultdict(set)
    for i in users:
        site = blame.nodes[i].site
        ways[None if site is None else site.span] |= {k for k in shared if i in parts[k].cone}
    rows = [row for row in ways.values() if row]
    return any(not a & b for k, a in enumerate(rows) for b in rows[:k])


def run_again(blame: Blame, users: Sequence[int], parts: Sequence[Part], shared: set[int]) -> bool:
    """Whether what reads a value ran in another call too, on the way to the same gradients: it is right there."""
    cone = set().union(*(parts[k].cone for k in shared))
    scopes = {blame.nodes[i].scope for i in users}
    sites = {id(blame.nodes[i].site) for i in users}
    return any(id(blame.nodes[i].site) in sites and blame.nodes[i].scope not in scopes for i in cone)
