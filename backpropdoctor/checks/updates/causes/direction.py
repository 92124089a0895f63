"""Rung 5, the direction: every step goes up the loss."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from ....finding import Explanation, Finding, make_finding
from ..history import Sample
from ..scene import Scene

FEWEST = 4
_MAXIMISED = re.compile(r"likelihood|reward|return|score|accura|elbo|objective|utility|gain|fitness", re.IGNORECASE)


def ascent(scene: Scene) -> Iterator[Finding]:
    """Steps along the gradient, with a loss that rises in each of them by what the gradient says it must.

    A gradient stored with the other sign and added is descent: there the loss falls.
    """
    samples = scene.history.samples
    losses = dict(scene.history.losses)
    rises = []
    for sample in samples:
        if sample.step not in losses or sample.step + 1 not in losses:
            continue
        expected = _first_order(sample)
        rises.append((expected, losses[sample.step + 1] - losses[sample.step]))
    if len(rises) < FEWEST or _MAXIMISED.search(scene.loss_name):
        return
    if not all(expected > 0 and 0.2 < real / expected < 5 for expected, real in rises):
        return
    names = [t.name for t in scene.trails() if t.changed]
    if not names:
        return
    span = next((s for n in names if (s := scene.place(n, "update"))), None)
    yield make_finding(
        "BD321",
        f"every step goes up the {scene.loss_name}: the gradient is added where it should be subtracted",
        span=span,
        tensors=tuple(names),
        measured=f"the {scene.loss_name} rises in all {len(rises)} steps, by {rises[0][1]:.3g} where "
        f"{rises[0][0]:.3g} is what the gradient says",
        explanations=(Explanation("the step has the sign of the gradient", "verified"),),
        help="subtract `lr * gradient`",
    )


def _first_order(sample: Sample) -> float:
    total = 0.0
    for name, gradient in sample.gradients.items():
        before, after = sample.before.get(name), sample.after.get(name)
        if before is not None and after is not None and before.shape == after.shape == gradient.shape:
            total += float(np.vdot(gradient.astype(float), after.astype(float) - before.astype(float)))
    return total
