"""The pictures of what a model's check found wrong: from what was measured anyway, and from what is left of its budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..finding import Checked
from ..model import Model, Tensor
from ..numeric.directions import size_of
from ..numeric.estimate import Estimate, Verdict
from .blocks import Block
from .pictures import are_wanted, heatmap, ladder
from .probing import Claim, Prober, claim_of

MOST = 6  # tensors with pictures
CELLS = 144  # of one heat map
_FEWEST = 4  # cells, or all elements of a tensor that has fewer


def with_pictures(model: Model, blocks: Sequence[Block], rows: Sequence[Checked], spare: int) -> tuple[list[Checked], int]:
    """The rows, those that are not right with the evidence of their drawings, and the evaluations these took.

    `rows` are those of the model's tensors, in their order. At most `spare` evaluations are spent; a picture that they
    do not suffice for is not made, and none that costs any where no report will be drawn.
    """
    found, spent = list(rows), 0
    spare = spare if are_wanted() else 0
    open_ = [i for i, b in enumerate(blocks) if b.comparison.verdict is not Verdict.RIGHT and rows[i].verdict != "right"]
    wrong = [i for i in open_ if blocks[i].comparison.verdict is Verdict.WRONG and model.tensors[i].gradient.size > 1][:MOST]
    for i in open_:
        c = blocks[i].comparison
        drawn: dict[str, Any] = {}
        if i in wrong:
            share = (spare - spent) // (len(wrong) - wrong.index(i))
            drawn["heatmap"], cost = _heatmap(model, model.tensors[i], blocks[i], share)
            spent += cost
        drawn["ladder"] = ladder(c.quotients, c.numeric.value, c.analytic, c.numeric.method)
        evidence = {key: value for key, value in drawn.items() if value}
        found[i] = replace(found[i], evidence={**found[i].evidence, **evidence})
    return found, spent


def _heatmap(model: Model, tensor: Tensor, block: Block, share: int) -> tuple[dict[str, Any] | None, int]:
    complex_ = block.allow_complex and block.comparison.numeric.method == "complex step"
    cells = min(share if complex_ else share // 2, CELLS)
    if cells < min(_FEWEST, tensor.gradient.size):
        return None, 0
    start = replace(block.start, noise=block.noise, allow_complex=complex_)
    probe = Prober(model, tensor, start)
    claim = claim_of(model, tensor, start) or Claim(tensor.gradient)
    size = size_of(tensor.value)
    if not complex_ and probe.judge.noise is None:
        return None, 0

    def truth(u: np.ndarray) -> Estimate | None:
        slope = probe.slope(u * size)
        return Estimate(slope.value / size, slope.error / size, slope.method, slope.evaluations)

    return heatmap(claim.gradient, truth, cells), probe.judge.evaluations
