"""A value that is right for one of its uses and taken for another adjoint by another: a second name, a second call.

`d_mu = d_z` gives the adjoint of z to what needs that of mu; `layer.backward(g, second)` gets what only the first call
should get, `layer.backward(out)` what is no adjoint at all. All is right once what reads the value there reads another
adjoint: there it is blamed.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks.gradients import Measured
from ..tape.adjoint import SAME
from ..tape.operation import run_node
from ..tape.tape import Ref, Site
from .blame_first import missing_reader
from .blame_together import renames, right_with

if TYPE_CHECKING:
    from .blame import Blame, Root

_MOST_USES = 24
_MOST_NODES = 3000  # operations that are run again for each
_MOST_TARGETS = 40  # forward values whose adjoint may be meant

Use = tuple[int, Site, str, list[int]]  # a value, the statement that hands it on, its name there, what reads it by that


def one_use(blame: Blame, wrong: Sequence[Measured], roots: list[Root]) -> list[Root]:
    """One root at the statement that hands on a value for another use, where all is wrong by that alone; else these."""
    if len({blame.line_key(root) for root in roots}) < 2:
        return roots
    names = {name for root in roots for name in root.affects}
    rows = [m for m in wrong if m.held.tensor.name in names]
    gradients = [g for m in rows for g in m.held.claim.gradient_nodes]
    above = [blame.replay.upstream(m.held.claim.gradient_nodes, barrier=blame.cotangents.origins) for m in rows]
    uses = _uses(blame, set.intersection(*above) if above else set())
    for value, site, name, readers in chain(uses, _handed(blame, roots), _given_back(blame, roots), _called_so(blame, roots)):
        mended = _mended(blame, value, readers, gradients, rows)
        if mended is None:
            continue
        root = blame.make_root(value, None)
        root.site, root.names, root.ratio, root.target = site, [name], mended[1], mended[0]
        return [_for_all(root, roots)]
    return roots


def left_out(blame: Blame, wrong: Sequence[Measured], roots: list[Root]) -> list[Root]:
    """One root at a call of the backward pass, where all that is wrong lacks the share of one call of the forward pass.

    A layer that is used twice needs its backward method twice: once for each call.
    """
    names = {name for root in roots for name in root.affects}
    ends = [
        (node, blame.replay.canonical[t.node])
        for m in wrong
        if m.held.tensor.name in names
        for node, terms in zip(m.held.tensor.nodes, m.held.claim.terms, strict=True)
        for t in terms
    ]
    if len({blame.line_key(root) for root in roots}) < 2:
        return roots
    made = {_call_of(blame, i) for _, i in ends}
    lacking = {None if j is None else _call_of(blame, j) for j in (missing_reader(blame, i, t) for t, i in ends)}
    call, forgotten = (next(iter(found)) if len(found) == 1 else None for found in (made, lacking))
    if call is None or forgotten is None or call.span == forgotten.span:
        return roots
    root = blame.make_root(ends[0][1], None)
    root.site, root.names, root.ratio, root.left_out = call, [], None, forgotten
    return [_for_all(root, roots)]


def _call_of(blame: Blame, node: int) -> Site | None:
    """What called the function that made a value."""
    return blame.replay.tape.scopes[blame.nodes[node].scope].call


def _for_all(root: Root, roots: Sequence[Root]) -> Root:
    root.instances = [root.node]
    root.affects = list(dict.fromkeys(name for r in roots for name in r.affects))
    return root


def _uses(blame: Blame, among: set[int]) -> Iterator[Use]:
    """The second names of right values, and the calls that get them beside other calls."""
    found = 0
    for value in sorted(among & blame.cotangents.backward):
        if not blame.is_adjoint(value):
            continue
        for use in [*_names(blame, value), *_calls(blame, value)]:
            found += 1
            if found > _MOST_USES:
                return
            yield use


def _handed(blame: Blame, roots: Sequence[Root]) -> Iterator[Use]:
    """What a call in which all roots stand gets of the forward pass, where the cotangent it needs belongs."""
    scopes, canonical, nodes = blame.replay.tape.scopes, blame.replay.canonical, blame.nodes
    around = [k for k, s in scopes.items() if s.call and all(_is_inside(blame, nodes[r.node].scope, k) for r in roots)]
    for b in blame.replay.tape.bindings if around else ():
        if b.how != "argument" or b.scope not in around or b.node is None or not np.ndim(nodes[b.node].value):
            continue
        value, call = canonical[b.node], scopes[b.scope].call
        if call is not None and (nodes[value].kind == "leaf" or value in blame.cotangents.forward):
            inside = (i for i in _readers(blame, value) if _is_inside(blame, nodes[i].scope, b.scope))
            readers = [i for i in inside if i in blame.cotangents.backward]
            if readers:
                yield value, call, b.name, readers


def _given_back(blame: Blame, roots: Sequence[Root]) -> Iterator[Use]:
    """The forward values that a function of the backward pass returns before all roots: `return x` for `return dx`."""
    canonical, nodes = blame.replay.canonical, blame.nodes
    first = min(min(root.instances) for root in roots)
    inside = {nodes[i].scope for i in blame.cleared - blame.cotangents.forward - blame.cotangents.origins}
    for b in blame.replay.tape.bindings:
        if b.how != "return" or b.at > first or b.scope not in inside or b.node is None or not np.ndim(nodes[b.node].value):
            continue
        value = canonical[b.node]
        if nodes[value].kind == "leaf" or value in blame.cotangents.forward:
            readers = [i for i in _readers(blame, value) if i >= b.at and i in blame.cotangents.backward]
            if readers:
                yield value, b.site, b.name, readers


def _called_so(blame: Blame, roots: Sequence[Root]) -> Iterator[Use]:
    """The forward values that get a second name before all roots: `dscores = att` for an expression with it."""
    canonical, nodes = blame.replay.canonical, blame.nodes
    first = min(min(root.instances) for root in roots)
    for b in blame.replay.tape.bindings:
        if b.how != "assign" or b.at > first or b.node is None or not np.ndim(nodes[b.node].value) or not renames(b.site):
            continue
        value = canonical[b.node]
        if nodes[value].kind == "leaf" or value in blame.cotangents.forward:
            read = (i for i in _readers(blame, value) if i >= b.at and i not in blame.cotangents.forward)
            readers = [i for i in read if _reads(blame, i, b.name, b.site.function)]
            if readers:
                yield value, b.site, b.name, readers


def _names(blame: Blame, value: int) -> Iterator[Use]:
    for b in blame.cotangents.names(value):
        if b.how == "assign" and renames(b.site):
            readers = [i for i in _readers(blame, value) if i >= b.at and _reads(blame, i, b.name, b.site.function)]
            if readers:
                yield value, b.site, b.name, readers


def _calls(blame: Blame, value: int) -> Iterator[Use]:
    scopes = blame.replay.tape.scopes
    bound = blame.cotangents.names(value)
    given = {b.scope for b in bound if b.how == "argument"}
    calls = {k: call for k in sorted(given) if (call := scopes[k].call) is not None and scopes[k].parent not in given}
    if len({site.span for site in calls.values()}) < 2:
        return
    names = [b.name for b in bound if b.how == "assign"]
    for scope, site in calls.items():
        readers = [i for i in _readers(blame, value) if _is_inside(blame, blame.nodes[i].scope, scope)]
        if readers and names:
            yield value, site, names[-1], readers


def _is_inside(blame: Blame, scope: int | None, outer: int) -> bool:
    while scope is not None and scope != outer:
        scope = blame.replay.tape.scopes[scope].parent
    return scope is not None


def _readers(blame: Blame, value: int) -> list[int]:
    """What reads a value, each time that it is read."""
    consumers = blame.replay.index.consumers
    return sorted({j for i in blame.cotangents.equals(value) for j in consumers.get(i, ())})


def _reads(blame: Blame, node: int, name: str, function: str) -> bool:
    site = blame.nodes[node].site
    if site is None or site.function != function:
        return False
    return any(isinstance(n, ast.expr) and ast.unparse(n) == name for n in ast.walk(site.node))


def _mended(
    blame: Blame, value: int, readers: Sequence[int], gradients: Sequence[int], rows: Sequence[Measured]
) -> tuple[int, float | None] | None:
    """The forward value with whose adjoint in the place of a value, for some readers, all gradients are right.

    And the value as a multiple of that adjoint, where it is one.
    """
    sign, scale = blame.cotangents.sign, blame.cotangents.scale or 1.0
    shape = np.shape(blame.nodes[value].value)
    same = [t for t in sorted(blame.cotangents.forward) if shape and np.shape(blame.nodes[t].value) == shape]
    for target in same[-_MOST_TARGETS:]:
        adjoint = blame.adjoints.adjoint(target, blame.objective)
        if adjoint is None:
            continue
        other = sign * scale * np.asarray(adjoint)
        if np.allclose(other, blame.replay.base(value), rtol=1e-9, atol=0.0):
            continue
        made = _made_with(blame, value, readers, other, max(gradients))
        if made is None:
            continue
        values = {g: made(g) for g in gradients}
        told = [m for m in rows if not _vanishes(blame, m, values)]
        if told and all(right_with(blame, m, values) for m in told):
            return target, _multiple(np.asarray(blame.replay.base(value)), other)
    return None


def _multiple(value: np.ndarray, other: np.ndarray) -> float | None:
    ratio = float(np.sum(value * other)) / (float(np.sum(other * other)) or 1.0)
    return ratio if np.allclose(value, ratio * other, rtol=1e-9, atol=0.0) else None


def _vanishes(blame: Blame, m: Measured, values: Mapping[int, Any]) -> bool:
    """Whether a gradient that must be zero, and was not, is nothing but roundoff now."""
    slopes = [blame.adjoints.slope(m.held.tensor, blame.objective, number) for number in (0, 1)]
    if any(s is None or abs(s.value) > 4 * s.error for s in slopes):
        return False
    before = [blame.replay.base(g) for g in m.held.claim.gradient_nodes]
    now = [values[g] for g in m.held.claim.gradient_nodes]
    return _size(now) <= 10 * SAME * _size(before)


def _size(values: Sequence[Any]) -> float:
    return max((float(np.max(np.abs(v), initial=0.0)) for v in values), default=0.0)


def _made_with(blame: Blame, value: int, readers: Sequence[int], other: np.ndarray, last: int) -> Callable[[int], Any] | None:
    """The values up to the last gradient where these readers of a value read another one; None where that does not run.

    Each execution is run by itself: two calls that made equal values need not do so now.
    """
    replay, changed = blame.replay, dict[int, Any]()
    if last - readers[0] > _MOST_NODES:
        return None
    mine, equal = set(readers), set(blame.cotangents.equals(value))

    def value_of(node: int, ref: Ref) -> Any:
        if node in mine and ref.index in equal:
            return other
        return changed[ref.index] if ref.index in changed else replay.base(ref.index)

    for i in range(readers[0], last + 1):
        node = blame.nodes[i]
        if node.op is None or not (i in mine or any(j in changed for j in node.inputs())):
            continue
        try:
            changed[i] = run_node(node, partial(value_of, i), replay.lifted)
        except Exception:  # whatever the user's operation raises on other values
            return None
    return lambda i: changed[i] if i in changed else replay.base(i)
