"""Rung 4: a gradient that is exactly zero in every step. A poke tells a wrong backward pass from a parameter without
effect."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ....finding import Explanation, Finding, make_finding
from ..history import Trail
from ..names import are, ticked
from ..scene import Scene

FEWEST = 3  # behind a gate that starts at zero the first gradient is zero, the next ones are not


def zero(scene: Scene) -> Iterator[Finding]:
    """Parameters whose gradient is exactly zero, although training has begun."""
    trails = [t for t in scene.trails() if t.graded >= FEWEST and t.nonzero == 0]
    alive = any(t.nonzero or t.changed for t in scene.history.trails.values())
    if not trails or not (alive or _all_zero(trails)):
        return
    kinds: dict[str, list[str]] = {}
    for trail in trails:
        moved = scene.poke(trail.name)
        kind = "unknown" if moved is None else "wrong" if moved > 1 else "without"
        kinds.setdefault(kind, []).append(trail.name)
    makers = {"wrong": _wrong, "without": _without, "unknown": _unknown}
    for kind, names in kinds.items():
        yield from makers[kind](scene, names)


def _all_zero(trails: list[Trail]) -> bool:
    """Zero weights everywhere: then all gradients are zero and nothing ever begins."""
    return any(t.weights and not t.start.any() for t in trails)


def _wrong(scene: Scene, names: list[str]) -> Iterator[Finding]:
    for span, group in scene.grouped(names, "gradient"):
        scene.explain(group)
        yield make_finding(
            "BD316",
            f"the gradient of {ticked(group)} is exactly zero although the {scene.loss_name} depends on {_it(group)}",
            span=span,
            tensors=tuple(group),
            measured=f"zero in {scene.history.trails[group[0]].graded} steps; "
            f"the {scene.loss_name} moves when {ticked(group)} {are(group)} moved",
            explanations=(Explanation("a term is missing in the backward pass", "verified"),),
            help=f"derive the gradient of {ticked(group)} again; `check` says which factor is wrong",
        )


def _without(scene: Scene, names: list[str]) -> Iterator[Finding]:
    symmetric = [n for n in names if _starts_at_zero(scene)]
    for span, group in scene.grouped([n for n in names if n not in symmetric], "creation"):
        scene.explain(group)
        yield make_finding(
            "BD315",
            f"the {scene.loss_name} does not depend on {ticked(group)}",
            span=span,
            severity="warning",
            tensors=tuple(group),
            measured=f"its gradient is exactly zero, and moving {_it(group)} leaves the {scene.loss_name} bitwise the same",
            explanations=(Explanation("not on the path to the loss, or behind units that are never active", "verified"),),
            help=f"use {ticked(group)} in the forward pass, or name {_it(group)} in `expect_frozen=`",
        )


def _starts_at_zero(scene: Scene) -> bool:
    weights = [t for t in scene.history.trails.values() if t.weights]
    return len(weights) > 1 and not any(t.start.any() for t in weights)


def _unknown(scene: Scene, names: list[str]) -> Iterator[Finding]:
    if _starts_at_zero(scene):
        return
    for span, group in scene.grouped(names, "gradient"):
        scene.explain(group)
        yield make_finding(
            "BD325",
            f"the gradient of {ticked(group)} is exactly zero in every step",
            span=span,
            tensors=tuple(group),
            measured=f"all elements zero in {scene.history.trails[group[0]].graded} of "
            f"{scene.history.trails[group[0]].graded} steps looked at",
            explanations=(
                Explanation("the backward pass has no term for it", "consistent"),
                Explanation("it is not on the path to the loss, or all its units are dead", "consistent"),
            ),
            help="hand over `loss=` as a function of no arguments: moving the parameter tells which it is",
        )


def zero_start(scene: Scene) -> Iterator[Finding]:
    """All weight matrices zero at the start, and still zero: no gradient can pass through any of them."""
    weights = [t for t in scene.trails() if t.weights]
    dead = [t.name for t in weights if not t.start.any() and not np.any(t.last) and t.graded >= 2 and t.nonzero == 0]
    if len(dead) < 2 or len(dead) < len(weights):
        return
    span = scene.place(dead[0], "creation")
    scene.explain([t.name for t in scene.trails() if t.nonzero == 0 and t.graded])
    yield make_finding(
        "BD317",
        f"{ticked(dead)} start at zero, and so does every gradient that passes through them",
        span=span,
        tensors=tuple(dead),
        measured=f"all elements still zero after {scene.history.steps} steps",
        explanations=(Explanation("with all weights zero each layer's gradient is multiplied by zero", "verified"),),
        help="start the weights at small random numbers; biases may start at zero",
    )


def _it(names: list[str]) -> str:
    return "them" if len(names) > 1 else "it"
