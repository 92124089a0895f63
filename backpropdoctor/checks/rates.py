"""The learning rate that all updates but one have: what it scales is no gradient, and the one that lacks it is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..tape.adjoint import Claim, Ratio, close
from ..tape.algebra import Algebra

if TYPE_CHECKING:
    from .gradients import Check, Measured

Factor = tuple[float, str]


def settle_rates(check: Check) -> None:
    """A right gradient that is taken off as it is, where all others are scaled by one and the same learning rate."""
    simple = (1.0, None) if _find_rate(check) else (1.0,)
    steps = [m for m in check.measured if m.verdict == "right" and m.held.kind == "parameter"]
    scaled = [m for m in steps if any(name != "-1" for _, name in m.held.factors)]
    bare = [m for m in steps if not any(name != "-1" for _, name in m.held.factors) and m.held.coefficient in simple]
    rates = {tuple(f for f in m.held.factors if f[1] != "-1") for m in scaled}
    if len(scaled) < 2 or len(rates) != 1 or len(scaled) + len(bare) < len(steps):
        return
    rate = rates.pop()
    if len(rate) != 1 or rate[0][0] <= 0 or close(rate[0][0], 1.0):
        return
    made = {m.held.site.statement_span if m.held.site else None for m in bare}
    if len(made) != 1 and not (_are_taken_off_at_once(check, bare) and _are_handed(check, bare, rate[0][1])):
        return
    for m in bare:
        if m.ratio is not None and not m.ratio.zero and m.ratio.value is not None:
            m.verdict, m.ratio, m.unscaled = "wrong", Ratio(m.ratio.value / rate[0][0], m.ratio.error), rate[0][1]


def _are_taken_off_at_once(check: Check, bare: Sequence[Measured]) -> bool:
    """Whether one statement changes the parameters of some gradients."""
    sites = [check.training.replay.tape.nodes[i].site for m in bare for i in m.held.after]
    return None not in sites and len({site.statement_span for site in sites if site is not None}) == 1


def _are_handed(check: Check, bare: Sequence[Measured], rate: str) -> bool:
    """Whether the functions that change the parameters of some gradients are called with a rate of this name."""
    tape = check.training.replay.tape
    handed = {b.scope for b in tape.bindings if b.how == "argument" and b.name == rate}
    return all(tape.nodes[i].scope in handed for m in bare for i in m.held.after)


def _find_rate(check: Check) -> bool:
    """Where most gradients are too small by one factor that their updates carry by name, that factor is the learning rate.

    It was taken for a part of the gradients because one update lacks it.
    """
    wrong = [m for m in check.wrong if m.held.kind == "parameter" and m.ratio is not None and m.ratio.value]
    if len(wrong) < 2 or 2 * len(wrong) <= sum(m.held.kind == "parameter" for m in check.measured):
        return False
    carried = {id(m): _carried(check, m) for m in wrong}
    shared = Counter(f for factors in carried.values() for f in factors)
    rate = next(
        (f for f, n in shared.most_common() if 2 * n > len(check.measured) and _explains(check, wrong, carried, f)), None
    )
    for m in wrong if rate is not None else ():
        if rate in carried[id(m)]:
            _take_out(m, rate)
    return rate is not None


def _explains(check: Check, wrong: list[Measured], carried: dict[int, set[Factor]], rate: Factor) -> bool:
    """Whether taking a factor out makes most gradients right, and those right now are without it."""
    exact = sum(rate in carried[id(m)] and m.ratio is not None and close(m.ratio.value or 0.0, rate[0]) for m in wrong)
    return exact >= 2 and 2 * exact > len(check.measured)


def _carried(check: Check, m: Measured) -> set[Factor]:
    """The scalar factors by name that are still in a gradient, and are not of the backward pass."""
    replay = check.training.replay
    origins = {i for h in check.training.parameters for i in h.tensor.nodes}
    live = replay.downstream(origins)
    algebra = Algebra(replay)
    found: set[Factor] = set()
    for node in m.held.claim.gradient_nodes:
        chain = list(algebra.scalings(node, lambda i: replay.canonical[i] in live))
        found |= {f for f in chain[-1].factors if f[1].replace(".", "").replace("_", "").isalnum() and not f[1][0].isdigit()}
    return found


def _take_out(m: Measured, rate: Factor) -> None:
    """The gradient without a factor, which is its update's."""
    held = m.held
    terms = tuple(tuple(replace(t, factor=t.factor / rate[0]) for t in own) for own in held.claim.terms)
    claim = Claim(held.tensor, terms)
    coefficient = None if held.coefficient is None else held.coefficient * rate[0]
    m.held = replace(held, claim=claim, factors=(*held.factors, rate), coefficient=coefficient, data=None)
    assert m.ratio is not None and m.ratio.value is not None
    m.ratio = Ratio(m.ratio.value / rate[0], m.ratio.error)
    if m.ratio.right:
        m.verdict, m.ratio = "right", Ratio(1.0, m.ratio.error)
