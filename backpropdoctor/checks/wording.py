"""The findings of a gradient check: wrong tensors grouped by what is wrong with them, undecided ones by why."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from ..finding import Explanation, Finding, make_finding
from ..model import Model, Tensor
from ..numeric.estimate import Verdict
from ..numeric.ratio import Ratio
from .blocks import Block

Wrong = list[tuple[Tensor, Block]]

_PRECISE = 1e-4  # a factor known worse than that is called 'about'


def blamed(model: Model, blocks: Sequence[Block]) -> list[Finding]:
    """Findings for all wrong tensors: one for a factor that several share, one for each tensor else."""
    pairs = list(zip(model.tensors, blocks, strict=True))
    wrong = [(t, b) for t, b in pairs if b.comparison.verdict is Verdict.WRONG]
    unread = [(t, b) for t, b in wrong if b.ignored]
    scaled = [(t, b) for t, b in wrong if not b.ignored and is_scaled(b)]
    rest = [(t, b) for t, b in wrong if not b.ignored and not is_scaled(b)]
    telling = [(t, b) for t, b in pairs if t.gradient.any() or b.comparison.numeric.value]
    groups = by_factor(scaled)
    found = []
    for group in groups:
        factor = group[0][1].ratio
        assert factor is not None
        uniform = len(group) == len(telling) > 1 and factor.value > 0
        found.append(uniform_of(model, group) if uniform else _scaled(model, group))
    found += [_unexplained(model, t, b) for t, b in rest]
    return found + ([_unread(model, unread)] if unread else [])


def where(block: Block) -> str:
    """The wrong part in words, '' for all of a tensor; that the zeros of a gradient are right says nothing."""
    part = block.part
    if part is None or part.kind in ("all", "none", "unknown") or part.words.startswith("all but the elements where"):
        return ""
    return part.words


def is_scaled(block: Block) -> bool:
    """True where the whole tensor is one non-zero factor times the truth."""
    return bool(block.ratio and block.ratio.consistent and abs(block.ratio.value) > 10 * block.ratio.error)


def by_factor(scaled: Wrong) -> list[Wrong]:
    """The tensors grouped by their factor."""
    groups: list[Wrong] = []
    for tensor, block in scaled:
        for group in groups:
            if same_factor(group[0][1].ratio, block.ratio):
                group.append((tensor, block))
                break
        else:
            groups.append([(tensor, block)])
    return groups


def same_factor(a: Ratio | None, b: Ratio | None) -> bool:
    """Whether two factors agree within their bars."""
    if a is None or b is None:
        return False
    return abs(a.value - b.value) <= a.error + b.error + 1e-12 * abs(a.value)


def exact(ratio: Ratio) -> Fraction | None:
    """The simple fraction that a factor is within its bar: n, 1/n or p/q with q up to 12; None for none."""
    value, error = ratio.value, max(ratio.error, 1e-14 * abs(ratio.value))
    if not math.isfinite(value) or value == 0 or error > _PRECISE * abs(value):
        return None
    size = abs(value)
    for candidate in (
        Fraction(round(size)),
        Fraction(1, max(1, round(1 / size))),
        Fraction(size).limit_denominator(12),
    ):
        close = candidate > 0 and abs(float(candidate) - size) <= error
        if close and candidate.numerator <= 10**7 and candidate.denominator <= 10**7:
            return candidate if value > 0 else -candidate
    return None


def factor_words(ratio: Ratio) -> str:
    """A factor in words that stand before 'the true gradient': `half of`, `exactly 302 times`, `the negative of`."""
    simple = exact(ratio)
    named = {
        Fraction(1, 2): "half of",
        Fraction(2): "twice",
        Fraction(-1): "the negative of",
        Fraction(1, 3): "a third of",
    }
    if simple in named:
        return named[simple]
    if simple is not None:
        if simple.numerator == 1:
            return f"exactly 1/{simple.denominator} of"
        return f"exactly {simple} times"
    return f"{number(ratio.value, ratio.error)} times"


def number(value: float, error: float) -> str:
    """A number with the digits its bar leaves, at most 9."""
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    digits = 9 if error <= 0 else int(min(9, max(2, math.floor(math.log10(abs(value) / error)))))
    return f"{value:.{digits}g}"


def listed(names: Sequence[str]) -> str:
    """`W1`, `b1` and `W2`, in backticks."""
    quoted = [f"`{n}`" for n in names]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " and " + quoted[-1]


def _measured(group: Wrong) -> str:
    ratio = max((b.ratio for _, b in group if b.ratio), key=lambda r: r.error)
    names = listed([t.name for t, _ in group])
    digits = min(10, max(2, 1 - math.floor(math.log10(max(ratio.error, 1e-12)))))
    where_to = f"all of {names}" if len(group) > 1 else names
    return f"{ratio.value:.{digits}g} of the true gradient in {where_to} (error bar {ratio.error:.0e})"


def _evidence(block: Block) -> dict[str, object]:
    c = block.comparison
    return {"analytic": c.analytic, "numeric": c.numeric.value, "error": c.error, "method": c.numeric.method}


def _factor_help(ratio: Ratio, many: bool) -> str:
    simple = exact(ratio)
    them = "them" if many else "it"
    if simple is None:
        return f"divide {them} by {number(ratio.value, ratio.error)}" if ratio.error < _PRECISE * abs(ratio.value) else ""
    if simple == -1:
        return "change the sign"
    if abs(simple.numerator) == 1:
        return f"multiply {them} by {simple.denominator * (1 if simple > 0 else -1)}"
    return f"divide {them} by {simple}"


def _scaled(model: Model, group: Wrong) -> Finding:
    ratio = group[0][1].ratio
    assert ratio is not None
    origins, names = [t.origin for t, _ in group], [t.name for t, _ in group]
    verb = "is" if len(group) == 1 else "are each"
    text = f"the gradient is {factor_words(ratio)} the truth, in directions that the factor was not taken from"
    known = isinstance(exact(ratio), Fraction)
    return make_finding(
        "BD102",
        f"{listed(origins)} {verb} {factor_words(ratio)} the true gradient",
        span=model.span,
        layer=model.layer,
        tensors=tuple(names),
        label="computes it" if len(group) == 1 else "computes them",
        measured=_measured(group),
        help=_factor_help(ratio, len(group) > 1),
        explanations=(Explanation(text, "verified" if known else "consistent"),),
        evidence={**_evidence(group[0][1]), "ratio": ratio.value, "ratio error": ratio.error},
    )


def uniform_of(model: Model, group: Wrong) -> Finding:
    """The finding for a factor that all gradients share."""
    ratio = group[0][1].ratio
    assert ratio is not None
    loss = model.forward
    words = factor_words(ratio)
    return make_finding(
        "BD103",
        f"all {len(group)} gradients are {words} the gradient of {loss}"
        if len(group) > 1
        else f"the whole gradient is {words} that of {loss}",
        span=model.span,
        layer=model.layer,
        tensors=tuple(t.name for t, _ in group),
        severity=model.uniform,
        measured=_measured(group),
        help=f"the direction is right; a step is {number(ratio.value, ratio.error)} times what the learning rate says: "
        f"scale {loss} or its gradient, so that both mean the same (sum or mean, with or without 1/2)",
        explanations=(Explanation(f"one factor for all: {words} the truth", "verified"),),
        evidence={**_evidence(group[0][1]), "ratio": ratio.value, "ratio error": ratio.error},
    )


def _unexplained(model: Model, tensor: Tensor, block: Block) -> Finding:
    c = block.comparison
    zero = not tensor.gradient.any()
    loss = model.forward
    part = where(block)
    if zero:
        message = f"`{tensor.origin}` is zero, and {loss} does change with `{tensor.name}`"
    else:
        message = f"`{tensor.origin}` is not the gradient of {loss} by `{tensor.name}`" + (f": wrong in {part}" if part else "")
    size = abs(c.difference) / max(abs(c.numeric.value), abs(c.analytic), np.finfo(float).tiny)
    measured = (
        f"{c.analytic:.9g} along a random direction, where the true slope is {c.numeric.value:.9g} "
        f"(error bar {c.error:.0e}): {size:.1%} apart"
        if size > 1e-3
        else f"{c.analytic:.15g} along a random direction, where the true slope is {c.numeric.value:.15g} "
        f"(error bar {c.error:.0e}): {size:.1e} of it apart"
    )
    beside = " at a slightly moved point" if block.nudged else ""
    return make_finding(
        "BD101",
        message,
        span=model.span,
        layer=model.layer,
        tensors=(tensor.name,),
        label="computes it",
        measured=measured + beside,
        evidence={**_evidence(block), "where": part},
        help="compare its terms with the chain rule; all elements outside this part are right"
        if part and "some" not in part
        else "",
    )


def _unread(model: Model, group: Wrong) -> Finding:
    loss = model.forward
    names, origins = [t.name for t, _ in group], [t.origin for t, _ in group]
    verb = "is" if len(group) == 1 else "are"
    return make_finding(
        "BD414",
        f"{loss} does not change at all with {listed(names)}, and {listed(origins)} {verb} not zero",
        span=model.span,
        layer=model.layer,
        tensors=tuple(names),
        evidence=_evidence(group[0][1]),
        help=f"{loss} may read another variable than the one it is given",
    )


_CODES = {"noise": "BD902", "unresolved": "BD902", "kink": "BD903"}


def undecided(model: Model, blocks: Sequence[Block]) -> list[Finding]:
    """One finding for each reason that left tensors undecided."""
    groups: dict[str, Wrong] = {}
    for tensor, block in zip(model.tensors, blocks, strict=True):
        if block.comparison.verdict is Verdict.UNDECIDED:
            groups.setdefault(_CODES.get(block.comparison.cause, "BD904"), []).append((tensor, block))
    advice = {
        "BD902": "compute the loss in float64 and without rounding",
        "BD903": "check at other values of the parameters, or on other data",
        "BD904": "check at other values of the parameters, where the function is defined on both sides",
    }
    found = []
    for code, group in sorted(groups.items()):
        names = [t.name for t, _ in group]
        reason = group[0][1].comparison.reason or "the forward pass gave no number near this point"
        found.append(
            make_finding(
                code,
                f"the gradient of {listed(names)} could not be judged: {reason}",
                span=model.span,
                layer=model.layer,
                tensors=tuple(names),
                help=advice[code],
                evidence=_evidence(group[0][1]),
            )
        )
    return found
