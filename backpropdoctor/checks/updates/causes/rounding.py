"""Rung 3: the step `lr * gradient` is computed and then swallowed by rounding, since the parameter is so much larger.

A change of at most half a unit in the last place leaves the parameter as it is (IEEE 754, round to nearest).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ....finding import Explanation, Finding, make_finding
from ....source import Span
from ..history import Trail, step_factors, too_small
from ..names import ticked
from ..scene import Scene

LARGE_SHARE = 0.5  # half of the first-order decrease of the loss lost: training is at half its speed or below
ROUNDOFF = 32.0  # units of roundoff, of the largest gradient of all, below which a gradient may be noise
WIDER = {"float16": ("float32", "float64"), "float32": ("float64",)}


def rounding(scene: Scene) -> Iterator[Finding]:
    """Parameters of which most of the learning is lost to rounding."""
    if not any(scene.history.stuck(t.name) for t in scene.trails()):
        return
    factors = scene.factors or step_factors(scene.history.samples, [t.name for t in scene.trails()])
    scene.history.measure_rounding(factors)
    trails = [t for t in scene.trails() if t.start.dtype.kind == "f" and t.lost_share > LARGE_SHARE]
    sizes = {t.name: _size(scene, t) for t in scene.trails()} if trails else {}
    largest = max(sizes.values(), default=0.0)
    lost = [
        t.name
        for t in trails
        # a bias before a normalisation has a gradient that is roundoff and nothing else
        if sizes[t.name] > ROUNDOFF * float(np.finfo(t.start.dtype).eps) * largest
    ]
    kinds: dict[tuple[str, float], list[str]] = {}
    for name in lost:
        kinds.setdefault((scene.history.trails[name].start.dtype.name, round(factors[name], 12)), []).append(name)
    for names in kinds.values():
        scene.explain(names)
        yield _finding(scene, names, scene.place(names[0], "update"), factors)


def _size(scene: Scene, trail: Trail) -> float:
    """The largest element of a parameter's gradient in the samples kept."""
    gradients = [s.gradients.get(trail.name) for s in scene.history.samples]
    return max((float(np.max(np.abs(g))) for g in gradients if g is not None and g.size), default=0.0)


def _finding(scene: Scene, names: list[str], span: Span | None, factors: dict[str, float]) -> Finding:
    trails = [scene.history.trails[n] for n in names]
    fraction = sum(t.lost_elements for t in trails) / sum(t.step_elements for t in trails)
    share = sum(t.lost_norm for t in trails) / sum(t.step_norm for t in trails)
    dtype = trails[0].start.dtype
    factor = abs(factors[names[0]])
    wider = {d: lost_in(scene, trails, factors, d) for d in WIDER.get(dtype.name, ())}
    enough = factor * growth_needed(scene, trails, factors)
    better = next((d for d, f in wider.items() if f < 0.01), None)
    remedies = [f"a learning rate of {enough:.1g}"] + ([f"keep the parameters in {better}"] if better else [])
    whole = fraction == 1
    return make_finding(
        "BD308",
        f"{'every update' if whole else f'{percent(fraction)} of the updates'} of {ticked(names)} "
        f"{'is' if whole else 'are'} lost to rounding in {dtype}",
        span=span,
        severity="error" if whole else "warning",
        tensors=tuple(names),
        measured=f"{percent(fraction)} of the elements with a gradient do not change, "
        f"{percent(share)} of the decrease of the loss is lost, at a step of {factor:.3g} times the gradient",
        explanations=(Explanation("the change is below half a unit in the last place of the parameter", "verified"),),
        help=f"{' or '.join(reversed(remedies))} would lose less than 1 %",
        evidence={
            "fraction": fraction,
            "share": share,
            "dtype": dtype.name,
            "lr": factor,
            "wider": wider,
            "enough": enough,
            "update_lines": sorted({s.line for n in names if (s := scene.place(n, "update"))}),
        },
    )


def lost_in(scene: Scene, trails: list[Trail], factors: dict[str, float], dtype: str) -> float:
    """The fraction of the same steps that another dtype would lose."""
    lost = total = 0
    for step, value in _steps(scene, trails, factors):
        lost += int(too_small(step, value.astype(dtype)).sum())
        total += step.size
    return lost / total if total else 0.0


def growth_needed(scene: Scene, trails: list[Trail], factors: dict[str, float]) -> float:
    """How many times larger the learning rate must be for less than 1 % of the steps to be lost."""
    needed = [0.5 * np.spacing(np.abs(value)).astype(np.float64) / step for step, value in _steps(scene, trails, factors)]
    every = np.concatenate([n.ravel() for n in needed])
    return float(np.quantile(every, 0.99)) * 1.01


def _steps(scene: Scene, trails: list[Trail], factors: dict[str, float]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for trail in trails:
        for sample in scene.history.samples:
            gradient = sample.gradients.get(trail.name)
            if gradient is not None:
                wanted = gradient != 0
                value = sample.before[trail.name][wanted]
                yield np.abs(factors[trail.name] * gradient[wanted].astype(np.float64)), value


def percent(fraction: float) -> str:
    """'91 %', and never 100 % for what is not all, nor 0 % for what is something."""
    if 0 < fraction < 1:
        fraction = min(max(fraction, 0.001), 0.999)
    digits = 1 if 0.99 < fraction < 1 or 0 < fraction < 0.01 else 0
    return f"{100 * fraction:.{digits}f} %"
