"""One tensor of a model checked: along a random direction, again where in doubt, then where and by what factor."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..model import Model, Tensor
from ..numeric.difference import CALLS
from ..numeric.directions import power_sentence, size_of
from ..numeric.estimate import Comparison, Verdict
from ..numeric.noise import Noise
from ..numeric.ratio import Ratio, fit_ratio
from ..numeric.search import Part, locate
from .probing import Claim, Prober, Start, claim_of, is_fine, moved

_SMALL = 1e-6  # of all blocks' sizes: a loss in float64 changes by that
_CLEAR = 10.0  # bars; an accusation below that is measured again along another direction
_FAR = 100.0  # the same for real differences, whose bars are estimates
_LOOK = 6  # evaluations that a further look takes at least
_MORE = 3  # directions of one further look
_ENOUGH = 2
_SHARP = 2e-7  # of the slope: an acquittal with a wider bar, by kinks, leaves a tensor open
_NEAR = (1e-9, 1e-8)  # of the slope: an acquittal with such a bar may come out sharper along another direction
_TINY = 1e-300


@dataclass(frozen=True, slots=True)
class Block:
    """The outcome for one tensor, measured at `start`.

    `accusations` are what says that it is wrong; while it is `open`, they are too weak, nothing could be told, or the
    bar that says right is wide.
    """

    comparison: Comparison
    evaluations: int
    start: Start
    missed: str = ""
    ratio: Ratio | None = None
    part: Part | None = None
    ignored: bool = False  # the scalar did not change by one bit
    noise: Noise | None = None
    allow_complex: bool = True
    narrow: bool = False  # the code computes in less than float64
    open: bool = False
    accusations: tuple[Comparison, ...] = ()
    lines: tuple[Comparison, ...] = ()  # the cheap looks at it beside the user's point
    step: float = 0.0  # of the next of them

    @property
    def nudged(self) -> bool:
        """Whether the verdict is that at a slightly moved point."""
        return self.start.beside

    @property
    def price(self) -> int:
        """The evaluations that a further look takes: what it took before, where only a sharper bar is wanted."""
        before = self.comparison.numeric.evaluations
        return before + 2 if self.comparison.verdict is Verdict.RIGHT else max(min(before, CALLS), _LOOK)


def check_block(model: Model, tensor: Tensor, start: Start, seed: Any) -> Block:
    """Check one tensor along a random direction drawn from `seed`."""
    rng = np.random.default_rng(seed)
    probe = Prober(model, tensor, start)
    claim = claim_of(model, tensor, start) or Claim(tensor.gradient)
    u = probe.direction(claim, rng)
    found = probe.compare(claim, u)
    if found.verdict is not Verdict.RIGHT and found.cause != "kink" and is_fine(found):
        spread = probe.spread(u, rng)
        bar = found.numeric.error + probe.error(claim, u, spread)
        if bar > 1.01 * found.error and found.error < abs(found.difference) <= 2 * bar:
            found = probe.compare(claim, u, spread=spread, precise=True)
    if found.verdict is Verdict.WRONG:
        return _accused(probe, claim, found, u, rng)
    blurred = found.verdict is Verdict.RIGHT and _NEAR[0] < found.error / max(abs(found.analytic), _TINY) < _NEAR[1]
    unsure = found.verdict is Verdict.UNDECIDED and found.cause != "non-finite"
    return _block(probe, found, claim, unsettled=unsure or (blurred and not probe.is_narrow))


def look_again(model: Model, tensor: Tensor, start: Start, seed: Any, block: Block, budget: int) -> Block:
    """An open block along up to three more directions from `start`, while `budget` evaluations last.

    A sharp acquittal settles it where nothing accuses it; a clear accusation or a second one does as well.
    """
    rng = np.random.default_rng(seed)
    claim = claim_of(model, tensor, start)
    if claim is None:
        return block
    probe = Prober(model, tensor, start)
    for k in range(_MORE):
        if k and probe.judge.evaluations * (k + 1) / k > budget:
            break
        again = probe.compare(claim, probe.direction(claim, rng), precise=True)
        if again.verdict is Verdict.WRONG:
            block = _accused_again(block, probe, claim, again, rng)
        elif again.verdict is Verdict.RIGHT:
            block = acquitted(block, probe, claim, again)
        if not block.open or again.cause == "kink":
            break  # another point is worth more than another direction
    return replace(block, evaluations=block.evaluations + probe.judge.evaluations)


def _accused_again(block: Block, probe: Prober, claim: Claim, found: Comparison, rng: np.random.Generator) -> Block:
    """Wrong where that is clear or the second accusation, unless an acquittal contradicts it."""
    accusations = (*block.accusations, found)
    if block.accusations and claim.gradient.size > 1:  # what was measured before serves as the other direction
        ratio, confirmed = fit_ratio([(c.analytic, c.analytic_error, c.numeric) for c in accusations]), False
    else:
        ratio, confirmed = _ratio(probe, claim, rng, found)
    enough = len(accusations) >= _ENOUGH
    if block.comparison.verdict is Verdict.RIGHT and _contradicts(block.comparison, found):
        made = _block(probe, _at_odds(found), claim)
    elif enough or _is_clear(found, confirmed):
        made = _block(probe, found, claim, ratio=ratio)
    else:
        return replace(block, comparison=_doubted(found), accusations=accusations, start=probe.start)
    return replace(made, evaluations=block.evaluations)


def acquitted(block: Block, probe: Prober, claim: Claim, found: Comparison) -> Block:
    """Right where nothing speaks against it; left open where kinks keep the bar wide."""
    only_here = block.narrow and probe.start.beside and not block.start.beside  # kinks at the point hide in its noise
    if block.accusations and not only_here:
        if not _contradicts(found, block.accusations[0]):
            return block
        made = _block(probe, _at_odds(block.accusations[0]), claim)
    elif block.comparison.verdict is Verdict.RIGHT and block.comparison.error <= found.error:
        return replace(block, open=not _is_sharp(block.comparison))
    else:
        made = _block(probe, found, claim, unsettled=not _is_sharp(found) and not probe.is_narrow)
    return replace(made, evaluations=block.evaluations)


def accused_by_lines(block: Block, probe: Prober, claim: Claim, wrong: list[Comparison]) -> Block:
    """The block after several lines say that it is wrong: by what factor, where they all say the same one."""
    clearest = max(wrong, key=lambda c: abs(c.difference) / c.error)
    ratio = fit_ratio([(c.analytic, c.analytic_error, c.numeric) for c in (*block.accusations, *wrong)])
    return _block(probe, replace(clearest, verdict=Verdict.WRONG), claim, ratio=ratio)


def _is_sharp(found: Comparison) -> bool:
    return found.error <= _SHARP * abs(found.analytic) or found.analytic == 0


def _contradicts(acquittal: Comparison, accusation: Comparison) -> bool:
    """Whether one direction rules out an error of the size that another one sees."""
    most = (abs(acquittal.difference) + acquittal.error) * max(abs(accusation.analytic), abs(accusation.numeric.value))
    least = (abs(accusation.difference) - accusation.error) * max(abs(acquittal.analytic), abs(acquittal.numeric.value))
    return most < least


def _accused(probe: Prober, claim: Claim, found: Comparison, u: np.ndarray, rng: np.random.Generator) -> Block:
    """A first accusation: by what factor, and open where it could be the loss's own doing."""
    ratio, confirmed = (None, False) if is_fine(found) and not _is_clear(found, False) else _ratio(probe, claim, rng, found)
    ignored = found.numeric.value == 0.0 and _unmoved(probe, u)
    if found.numeric.value == 0.0 and _is_rounded(probe):
        reason = "the loss is rounded: it does not change at all when every parameter moves a little"
        return _block(probe, replace(found, verdict=Verdict.UNDECIDED, reason=reason, cause="noise"), claim)
    if _is_clear(found, confirmed):
        return _block(probe, found, claim, ratio=ratio, ignored=ignored)
    return _block(probe, _doubted(found), claim, unsettled=True, accusations=(found,))


def _block(
    probe: Prober,
    found: Comparison,
    claim: Claim,
    *,
    ratio: Ratio | None = None,
    ignored: bool = False,
    unsettled: bool = False,
    accusations: tuple[Comparison, ...] = (),
) -> Block:
    norm = float(np.linalg.norm(np.asarray(claim.gradient, float))) * size_of(probe.tensor.value)
    if probe.failed and found.verdict is Verdict.UNDECIDED:
        found = replace(found, reason=f"the code fails near this point: {probe.failed}")
    return Block(
        comparison=found,
        evaluations=probe.judge.evaluations,
        start=probe.start,
        missed=power_sentence(found.error, norm) if found.verdict is Verdict.RIGHT else "",
        ratio=ratio,
        ignored=ignored,
        noise=probe.judge.noise,
        allow_complex=probe.judge.allow_complex,
        narrow=probe.is_narrow,
        open=unsettled,
        accusations=accusations,
    )


def _is_clear(found: Comparison, confirmed: bool) -> bool:
    """Whether an accusation stands by itself: exact, far beyond its bar, or confirmed by another direction."""
    exact = found.numeric.method == "complex step"
    if exact and found.numeric.value != 0.0:
        return True
    return confirmed or abs(found.difference) >= (_CLEAR if exact else _FAR) * found.error


def _is_rounded(probe: Prober) -> bool:
    base = probe.start.base
    still = probe.all_moved(_SMALL) == base == probe.all_moved(-_SMALL)
    return still and probe.all_moved(0.5) != base


def _doubted(found: Comparison) -> Comparison:
    reason = (
        f"one direction says that it is wrong, by {abs(found.difference):.2g} with an error bar of {found.error:.1g}, "
        "and no other can tell"
    )
    return replace(found, verdict=Verdict.UNDECIDED, reason=reason, cause="noise")


def _at_odds(found: Comparison) -> Comparison:
    reason = "two directions do not agree: the loss is noisier than it seems"
    return replace(found, verdict=Verdict.UNDECIDED, reason=reason, cause="noise")


def search_block(model: Model, tensor: Tensor, seed: Any, block: Block, budget: int) -> Block:
    """A wrong block with the part that is wrong, found in at most `budget` evaluations."""
    start = replace(block.start, noise=block.noise, allow_complex=block.allow_complex)
    claim = claim_of(model, tensor, start) or Claim(tensor.gradient)
    probe = Prober(model, tensor, start)
    rng = np.random.default_rng(seed)
    part = locate(probe.slope, claim.gradient, budget=budget, scale_to=tensor.value, seed=rng)
    return replace(block, part=part, evaluations=block.evaluations + probe.judge.evaluations)


def needs_search(block: Block, tensor: Tensor) -> bool:
    """True for a wrong block that no factor explains and that has parts."""
    explained = block.ratio is not None and block.ratio.consistent
    wrong = block.comparison.verdict is Verdict.WRONG
    return wrong and not explained and not block.ignored and tensor.gradient.size > 1


def _ratio(probe: Prober, claim: Claim, rng: np.random.Generator, found: Comparison) -> tuple[Ratio | None, bool]:
    """The factor between the gradient and the truth, if it holds on a fresh direction that it was not taken from.

    And whether that direction by itself says that the factor is not 1.
    """
    if claim.gradient.size == 1 and abs(found.numeric.value) > 10 * found.numeric.error:
        value = found.analytic / found.numeric.value
        return Ratio(value, found.error / abs(found.numeric.value), True, 0), False
    u = probe.direction(claim, rng)
    slope, measured = float(np.vdot(claim.gradient.astype(float), u)), probe.slope(u)
    ratio = fit_ratio([(found.analytic, found.analytic_error, found.numeric), (slope, found.analytic_error, measured)])
    excluded = abs(slope - measured.value) > 2 * (measured.error + found.analytic_error)
    return ratio, bool(ratio and ratio.consistent and excluded)


def _unmoved(probe: Prober, u: np.ndarray) -> bool:
    base = probe.start.base
    return all(probe.evaluate({probe.tensor.key: moved(probe.x, t, u)}) == base for t in (0.5, -0.25))
