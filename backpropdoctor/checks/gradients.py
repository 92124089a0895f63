"""The gradients of a training step held against its loss: right, wrong, undecided, and what scale they share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from ..finding import Checked, Verdict
from ..numeric.estimate import Verdict as Judgement
from ..tape.adjoint import Ratio, close
from ..tape.training import Held, Training
from .claims import settle_claims
from .decay import settle_decay, with_decay
from .in_turn import ratio_in_turn
from .kept_zero import ratio_where_trained
from .rates import settle_rates
from .sampled import drawn_between, noise_of

_NOTHING = 1e-11  # beside the largest gradient, less than this is roundoff
_FACTORS = 4  # scalar factors of an update that are tried as part of its gradient


@dataclass(slots=True)
class Measured:
    """One gradient with its verdict. `ratio` is gradient over truth in the scale of the loss."""

    held: Held
    verdict: Verdict
    ratio: Ratio | None
    reason: str = ""
    evaluations: int = 0
    unscaled: str = ""  # the learning rate that its update lacks, where the gradient itself is right
    decay: float | None = None  # of an implied loss: the multiple of the parameter that the gradient holds besides

    @property
    def misused(self) -> bool:
        """Whether the gradient itself is right, and what the update does with it is not."""
        return bool(self.unscaled) or self.held.evidence == "replaced"


@dataclass(slots=True)
class Check:
    """All gradients of a step. `uniform` is the factor that all parallel gradients share with the loss, or 1.

    `fixed` says that no factor is a convention: the one they share here is another one in another step.
    """

    training: Training
    measured: list[Measured] = field(default_factory=list)
    uniform: float = 1.0
    fixed: bool = False
    used: tuple[str, ...] = ()  # the update's factors that make up for a uniform scale

    @property
    def wrong(self) -> list[Measured]:
        return [m for m in self.measured if m.verdict == "wrong"]


def check_gradients(training: Training, *, fixed: bool = False) -> Check:
    """Measure every parameter's gradient. A wrong one is confirmed on further probes, with kinks looked for.

    With `fixed` a factor that all share is wrong as any other one.
    """
    check = Check(training, fixed=fixed)
    if training.loss is None:
        return check
    before = training.replay.evaluations
    for held in training.parameters:
        check.measured.append(measure(training, held))
    _settle_zeros(check)
    settle_decay(check)
    if not fixed:
        _settle_scale(check)
    settle_rates(check)
    settle_claims(check)
    for m in check.measured:
        m.evaluations = (training.replay.evaluations - before) // max(len(check.measured), 1)
    return check


def measure(training: Training, held: Held, numbers: tuple[int, ...] = (0, 1)) -> Measured:
    """One gradient against the loss along two directions, and a third to confirm that it is wrong."""
    assert training.loss is not None
    objective = training.loss.objective
    value = training.replay.base(held.node)
    if not np.all(np.isfinite(np.asarray(value, dtype=float))):
        return Measured(held, "undecided", None, "the gradient is not finite")
    ratio = training.adjoints.ratio(held.claim, objective, numbers)
    if ratio is None:
        return Measured(held, "undecided", None, "the loss could not be evaluated again on other values")
    if ratio.right:
        return Measured(held, "right", ratio)
    turn = ratio_in_turn(training, held) if held.evidence == "update" else None
    if turn is not None and turn[0].right:
        after = ", ".join(f"`{name}`" for name in turn[1])
        return Measured(held, "right", turn[0], f"of the loss after the update of {after}" if after else "of its own loss")
    if ratio.value is None and held.evidence == "update" and training.loss.unpenalised.issuperset(held.tensor.nodes):
        decayed = with_decay(training, held)
        if decayed is not None:
            ratio, decay = decayed
            return Measured(held, "right", ratio, f"with a weight decay of {decay:.3g}", decay=decay)
    canonical = training.replay.canonical
    if training.loss.nodes.isdisjoint(canonical[i] for i in held.tensor.nodes):
        return Measured(held, "undecided", ratio, "no way from it to the loss was recorded")
    trained = ratio_where_trained(training, held)
    if trained is not None and trained.right:
        return Measured(held, "right", trained, "in the entries that it may change")
    drawn = drawn_between(training, held)
    if drawn is not None:
        where = f" at line {drawn.site.span.line}" if drawn.site else ""
        return Measured(held, "undecided", ratio, f"the loss depends on it through a random draw{where}")
    if noise_of(training, held) is not None:
        return Measured(held, "undecided", ratio, "its update adds noise to the gradient")
    return _confirmed(training, held, ratio)


def _settle_zeros(check: Check) -> None:
    """A gradient that is zero but for roundoff, beside others that are not, is right where the truth is zero as well."""
    loss = check.training.loss
    assert loss is not None
    sizes = [_sizes(check, m) for m in check.measured]
    largest = max((a for a, _ in sizes), default=0.0)
    for m, (mine, true) in zip(check.measured, sizes, strict=True):
        if m.verdict != "right" and max(mine, true) <= _NOTHING * largest:
            m.verdict, m.ratio, m.reason = "right", Ratio(1.0, 0.0, zero=True), "zero but for roundoff"


def _sizes(check: Check, m: Measured) -> tuple[float, float]:
    """The gradient and the truth per unit of the parameter, in absolute value, along the first direction."""
    assert check.training.loss is not None
    u = np.concatenate([np.ravel(check.training.adjoints.direction(i, 0)) for i in m.held.tensor.nodes])
    unit = float(np.sqrt(np.mean(u**2))) if u.size else 1.0
    if m.ratio is None or not unit:
        return 0.0, np.inf
    truth = check.training.adjoints.slope(m.held.tensor, check.training.loss.objective, 0)
    mine, _ = check.training.adjoints.claimed(m.held.claim, 0)
    return abs(mine) / unit, abs(truth.value) / unit if truth else np.inf


def _confirmed(training: Training, held: Held, ratio: Ratio) -> Measured:
    assert training.loss is not None
    reasons = []
    for number in (2, 3):
        found = training.adjoints.confirm(held.claim, training.loss.objective, number)
        if found.verdict is Judgement.RIGHT:
            return Measured(held, "undecided", ratio, "two probes contradict each other")
        if found.verdict is Judgement.UNDECIDED:
            reasons.append(found.reason)
    if len(reasons) == 2:
        return Measured(held, "undecided", ratio, reasons[0])
    return Measured(held, "wrong", ratio)


def _settle_scale(check: Check) -> None:
    """Take out the factor that is a matter of convention: of an implied loss, of an update that divides by it."""
    parallel = [m for m in check.measured if m.ratio and m.ratio.value and not m.ratio.zero]
    if not parallel or _same_step(check, parallel):
        return
    if any(m.verdict == "right" and not (m.ratio and m.ratio.zero) for m in check.measured):
        return
    told = [m for m in parallel if not _is_number(check, m) or _is_shared(m, parallel)]
    values = np.array([m.ratio.value for m in told if m.ratio and m.ratio.value is not None])
    if not told:
        return
    common = float(np.median(values)) if len(values) % 2 else float(np.sort(values)[len(values) // 2])
    if np.any(values > 0) and all(close(abs(v), abs(common)) for v in values):
        common = abs(common)  # one size, and the wrong sign of some
    same = [m for m, v in zip(told, values, strict=True) if close(v, common)]
    alone = sum(close(abs(v), common) for v in values) < 2 and len(check.measured) > 1
    if common <= 0 or (alone and (len(told) > 1 or _is_number(check, same[0]))):
        return
    assert check.training.loss is not None
    implied = check.training.loss.source == "implied"
    used = () if implied else _explaining_factors(same, common)
    if implied or used:
        check.used = used
        for m in same:
            assert m.ratio is not None
            m.verdict = "right"
            m.ratio = Ratio(1.0, m.ratio.error)
        for m in parallel:
            if m not in same and m.ratio and m.ratio.value is not None:
                m.ratio = Ratio(m.ratio.value / common, m.ratio.error)
    check.uniform = common


def _is_number(check: Check, m: Measured) -> bool:
    """Whether a tensor is one number, which is parallel to anything."""
    return sum(np.size(check.training.replay.base(i)) for i in m.held.tensor.nodes) == 1


def _is_shared(m: Measured, parallel: list[Measured]) -> bool:
    """Whether another gradient is off by the same factor, whatever its sign."""
    ratios = [o.ratio.value for o in parallel if o is not m and o.ratio and o.ratio.value]
    own = m.ratio.value if m.ratio else None
    return own is not None and any(close(abs(r), abs(own)) for r in ratios)


def _same_step(check: Check, parallel: list[Measured]) -> bool:
    """Whether the updates make up for different scales, so that every parameter is moved by one multiple of its gradient.

    With plain gradient descent the step is -c times the gradient, with one c for all parameters; where the code scales a
    gradient, in a variable or in the update, is a matter of style.
    """
    if len(parallel) < 2 or any(m.held.coefficient is None for m in parallel):
        return False
    ratios = [m.ratio.value for m in parallel if m.ratio and m.ratio.value]
    steps = [r * (m.held.coefficient or 0.0) for r, m in zip(ratios, parallel, strict=True)]
    if all(close(r, ratios[0]) for r in ratios) or not all(close(s, steps[0]) and s > 0 for s in steps):
        return False
    for m in parallel:
        assert m.ratio is not None
        m.verdict, m.ratio = "right", Ratio(1.0, m.ratio.error)
    return True


def _explaining_factors(members: list[Measured], common: float) -> tuple[str, ...]:
    """The scalar factors of the updates that, taken into the gradients, make them those of the loss: no learning rate does."""
    choices = [set(_subsets(m.held, common)) for m in members]
    shared = set.intersection(*choices) if choices else set()
    return min(shared, key=len, default=())


def _subsets(held: Held, common: float) -> Iterator[tuple[str, ...]]:
    factors = [(abs(v), name) for v, name in held.divisors[:_FACTORS] if name != "-1"]
    for size in range(1, len(factors) + 1):
        for chosen in combinations(factors, size):
            if close(common * float(np.prod([v for v, _ in chosen])), 1.0):
                yield tuple(name for _, name in chosen)


def checked_rows(check: Check, inherited: frozenset[str] = frozenset()) -> list[Checked]:
    """The table of a report."""
    rows = []
    for m in check.measured:
        verdict: Verdict = "inherited" if m.verdict == "wrong" and m.held.tensor.name in inherited else m.verdict
        rows.append(checked_row(check.training, m, verdict))
    return rows


def checked_row(training: Training, m: Measured, verdict: Verdict) -> Checked:
    """One row: the derivative along the first direction, both ways."""
    assert training.loss is not None
    held = m.held
    truth = None if m.ratio is None else training.adjoints.slope(held.tensor, training.loss.objective, 0)
    analytic, roundoff = training.adjoints.claimed(held.claim, 0) if m.ratio is not None else (None, 0.0)
    return Checked(
        tensor=held.tensor.name if held.kind == "parameter" else held.name,
        verdict=verdict,
        line=held.site.span.line if held.site else None,
        analytic=analytic,
        numeric=truth.value if truth else None,
        error=truth.error + roundoff if truth else None,
        ratio=m.ratio.value if m.ratio else None,
        method=truth.method if truth else "",
        evaluations=m.evaluations,
        shape=tuple(np.shape(training.replay.tape.nodes[held.tensor.nodes[0]].value)) if len(held.tensor.nodes) == 1 else None,
        kind=held.kind,
        reason=m.reason,
    )
