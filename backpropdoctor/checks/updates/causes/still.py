"""Rung 3, the rest: a gradient that is not zero and a parameter that is bitwise the same."""

from __future__ import annotations

from collections.abc import Iterator

from ....finding import Explanation, Finding, make_finding
from ..names import ticked
from ..scene import Scene

FEWEST = 2  # one step may be a check before training, a warm-up from zero, or a micro-batch


def still(scene: Scene) -> Iterator[Finding]:
    """Parameters that never change, for a reason that the numbers alone do not show."""
    trails = [t for t in scene.trails() if t.unchanged and (t.nonzero >= FEWEST or not t.graded)]
    if not trails or scene.history.steps < FEWEST and not _blind(scene):
        return
    for finding in scene.because([t.name for t in trails]):
        scene.explain(finding.tensors)
        yield finding
    left = [t.name for t in trails if t.name not in scene.explained]
    for span, names in scene.grouped(left, "update"):
        scene.explain(names)
        graded = [n for n in names if scene.history.trails[n].graded]
        which = "their gradients are" if len(names) > 1 else "its gradient is"
        yield make_finding(
            "BD324",
            f"{ticked(names)} never {'change' if len(names) > 1 else 'changes'}"
            + (f" although {which} not zero" if len(graded) == len(names) else ""),
            span=span,
            tensors=tuple(names),
            measured=_measured(scene, names),
            explanations=(Explanation(_why(scene, names), "consistent"),),
            help="look whether the line that updates is reached, and whether it changes these very arrays; "
            "`expect_frozen=` silences parameters that are not trained",
        )


def _blind(scene: Scene) -> bool:
    """Whether no step was announced: start and end are compared, over whatever the loop did."""
    return scene.history.steps == 0


def _measured(scene: Scene, names: list[str]) -> str:
    steps = scene.history.steps
    return f"bitwise the same after {steps} steps" if steps else "bitwise the same at the end as at the start"


def _why(scene: Scene, names: list[str]) -> str:
    moving = any(t.changed for t in scene.history.trails.values())
    if moving:
        return "other parameters change, so the loop runs: these are left out, or a copy of them is updated"
    return "no parameter changes: the update is never run, works on copies, or its factor is zero"
