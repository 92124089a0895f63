"""From a statement whose value is wrong to the statement that made the operand that is wrong: a term, a factor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks.cotangents import Paired
from ..errors import ReplayError
from ..tape.adjoint import SAME, Tensor, proportion, shaped
from ..tape.algebra import MUL, Algebra
from ..tape.replay import Objective
from ..tape.tape import Ref, Site

if TYPE_CHECKING:
    from .blame import Blame

_STEP = 1e-30  # of the complex step
_MOST_ARGUMENTS = 60  # forward values that are tried as the argument of a derivative


def wrong_term(blame: Blame, nodes: tuple[int, ...], targets: tuple[int, ...], roles: Mapping[int, int]) -> int | None:
    """The one term, made by another statement, that is not what must be passed on to a sum; None where there is none.

    `nodes` are sums of what `targets` get from those that read them; `roles` says for other values what they are taken
    for. In a loop the term is looked at where it was made of values of an earlier turn.
    """
    algebra = Algebra(blame.replay)
    for node, target in zip(nodes, targets, strict=True):
        terms = [blame.replay.canonical[t.node] for t in algebra.terms(node)]
        if len(terms) < 2:
            continue
        wrong = []
        for term in terms:
            received = _received(blame, term, roles, {target})
            if not received:
                continue
            ratio = blame.local_ratio(term, target, received)
            if ratio is None or not blame.usual_step(ratio):
                wrong.append(term)
        if len(wrong) == 1 and blame.home(wrong[0]) not in (None, blame.home(node)):
            return None if blame.accepts(wrong[0]) else wrong[0]  # one that is right for another value lacks a step here
        if wrong:
            return None
    return None


def _received(blame: Blame, node: int, roles: Mapping[int, int], avoid: set[int]) -> list[Paired]:
    """The values with a known role that a value was made from, the nearest ones, those of its own statement left out."""
    found, seen, stack = [], {node}, [node]
    while stack:
        for i in blame.replay.inputs(stack.pop()):
            if i in seen or i not in blame.cotangents.backward:
                continue
            seen.add(i)
            if blame.home(i) != blame.home(node) and i in roles and roles[i] not in avoid:
                found.append(Paired(i, roles[i], 1.0))
            else:
                stack.append(i)
    return found


def wrong_factor(blame: Blame, node: int, target: int) -> Site | None:
    """The statement that made the derivative that a cotangent is multiplied with, where that derivative is wrong.

    A function that gives the right derivative for another argument is not at fault: then None, or the statement that
    calls it where that is one of its own.
    """
    factor = _factor_of(blame, node)
    if factor is None or _is_parallel(blame, node, target) or _is_derivative(blame, node, target, factor):
        return None
    made, home = blame.nodes[_written(blame, node, target, factor)].site, blame.nodes[node].site
    if made is None or home is None:
        return None
    called = [b for b in blame.cotangents.names(factor) if b.how == "assign" and b.site.function == home.function]
    if made.function == home.function:
        return None if factor in blame.cleared else made
    if _right_for_another(blame, node, target, factor, made.function):
        return called[-1].site if called and called[-1].site.statement_span != home.statement_span else None
    return None if factor in blame.cleared else made


def _written(blame: Blame, node: int, target: int, factor: int) -> int:
    """The version of a factor in which its wrong elements got their values: the last one that changed any of them."""
    truth = blame.adjoints.adjoint(target, blame.objective)
    made, own = np.asarray(blame.replay.base(node)), np.asarray(blame.replay.base(factor))
    if blame.nodes[factor].kind != "write" or truth is None or np.shape(truth) != made.shape or own.shape != made.shape:
        return factor
    scale = blame.cotangents.sign * (blame.cotangents.scale or 1.0)
    wrong = np.abs(made - scale * truth) > 10 * SAME * np.abs(scale * truth)
    version = factor
    while blame.nodes[version].kind == "write":
        before = blame.nodes[version].args[0].index
        changed = np.asarray(blame.replay.base(version)) != np.asarray(blame.replay.base(before))
        if np.any(changed & wrong):
            return version
        version = before
    return version if wrong.any() else factor


def _is_parallel(blame: Blame, node: int, target: int) -> bool:
    """Whether a value is a multiple of the adjoint it should be: a wrong derivative would change more than its length."""
    if np.size(blame.nodes[node].value) == 1:
        return False
    ratio = blame.cotangents.ratio(node, target)
    return ratio is not None and ratio.value is not None and not ratio.zero


def _is_derivative(blame: Blame, node: int, target: int, factor: int) -> bool:
    """Whether a factor is the elementwise derivative of what was received by the target: then the fault is elsewhere."""
    received = blame.received(node)
    if len(received) != 1:
        return False
    start = np.asarray(blame.replay.base(target), dtype=float)
    try:
        moved = blame.replay.evaluate([received[0].target], {target: start + 1j * _STEP})[0]
        slopes = np.imag(np.asarray(moved)) / _STEP
        return bool(np.allclose(shaped(blame.replay.base(factor), slopes.shape), slopes, rtol=1e-9, atol=0.0))
    except (ReplayError, TypeError, ValueError, ArithmeticError):
        return False


def _factor_of(blame: Blame, node: int) -> int | None:
    """The operand of a product that is made of forward values only, by another statement."""
    above = blame.nodes[node]
    refs = [a for a in above.args if isinstance(a, Ref)]
    if above.kind != "op" or len(refs) != 2 or not _is_product(above.op):
        return None
    sides = [blame.replay.canonical[r.index] for r in refs]
    plain = [i for i in sides if i in blame.cotangents.backward and not _carries(blame, i)]
    if len(plain) != 1 or blame.home(plain[0]) == blame.home(node):
        return None
    return plain[0]


def _carries(blame: Blame, node: int) -> bool:
    """Whether a value is a cotangent or made of one, and not a mere derivative."""
    if blame.is_adjoint(node) or blame.depends_on_cotangent(node):
        return True
    paired = blame.cotangents.paired  # in whatever scale: nothing but an adjoint is parallel to one, single numbers are
    return any(i in paired and np.count_nonzero(blame.nodes[i].value) > 1 for i in (node, *blame.made_of(node)))


def _is_product(op: Any) -> bool:
    try:
        return op in MUL
    except TypeError:
        return False


def _right_for_another(blame: Blame, node: int, target: int, factor: int, function: str) -> bool:
    """Whether the function that made a factor would give the right one for another forward value."""
    inside = {i for i in blame.replay.upstream([factor]) if (s := blame.nodes[i].site) is not None and s.function == function}
    outer = {j for i in inside for j in blame.replay.inputs(i) if j not in inside and j in blame.cotangents.live}
    if len(outer) != 1:
        return False
    argument = outer.pop()
    shape = np.shape(blame.nodes[argument].value)
    others = [i for i in sorted(blame.cotangents.forward) if i != argument and np.shape(blame.nodes[i].value) == shape]
    near = sorted(others, key=lambda i: abs(i - target))[:_MOST_ARGUMENTS]
    wanted = _wanted(blame, node, target)
    if wanted is None:
        return False
    # what the value is multiplied with stays, though it may be made of an equal factor
    kept = {i: blame.replay.base(i) for i in map(blame.replay.canonical.__getitem__, blame.replay.inputs(node)) if i != factor}
    for other in near:
        try:
            made = blame.replay.evaluate([factor], {argument: blame.replay.base(other)})[0]
            value = blame.replay.evaluate([node], {**kept, factor: made})[0]
        except ReplayError:
            continue
        if _fits(blame, value, target, wanted):
            return True
    return False


def _wanted(blame: Blame, node: int, target: int) -> list[tuple[float, float]] | None:
    """What a value must be along two directions of its target: by what it received, else by the loss."""
    received = blame.received(node)
    try:
        pairs = [(p.target, shaped(blame.replay.base(p.node), np.shape(blame.replay.base(p.target)))) for p in received]
    except ValueError:
        return None
    objective = Objective.pairing(("vjp", tuple((p.node, p.target) for p in received)), pairs) if pairs else blame.objective
    frozen = [p.target for p in received]
    found = []
    for number in (0, 1):
        slope = blame.adjoints.slope(Tensor("", (target,)), objective, number, frozen, crude=True)
        if slope is None:
            return None
        found.append((slope.value, slope.error))
    return found


def _fits(blame: Blame, value: Any, target: int, wanted: list[tuple[float, float]]) -> bool:
    pairs = []
    for number, (truth, error) in enumerate(wanted):
        u = blame.adjoints.direction(target, number)
        try:
            mine = float(np.sum(shaped(value, u.shape) * u))
        except (TypeError, ValueError):
            return False
        pairs.append((mine, 1e-13 * abs(mine), truth, error))
    found = proportion(pairs)
    return found.value is not None and not found.zero and found.value != 0 and abs(abs(found.value) - 1) <= 10 * SAME
