"""Rung 5: units that move in lockstep, parameters that share memory, gradients that are old or pile up."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from ....finding import Explanation, Finding, make_finding
from ..history import History, Trail, same_bits
from ..names import ticked
from ..scene import Scene

FEWEST = 3  # consecutive samples that must show the same before it counts


def symmetric(scene: Scene) -> Iterator[Finding]:
    """A hidden layer whose units all start alike and stay alike: incoming and outgoing weights equal, bit by bit."""
    trails = [t for t in scene.trails() if t.changed and t.samples >= 2 and t.start.ndim == 2 and t.weights]
    done: set[frozenset[str]] = set()
    for incoming, outgoing in permutations(trails, 2):
        if incoming.name in scene.explained or {incoming.name, outgoing.name} in done:
            continue
        for axis, out_axis in ((1, 0), (0, 1)):
            units = incoming.start.shape[axis]
            if units < 2 or outgoing.start.shape[out_axis] != units:
                continue
            if _alike(incoming, axis) and _alike(outgoing, out_axis):
                scene.explain([incoming.name])
                done.add(frozenset((incoming.name, outgoing.name)))
                yield _lockstep(scene, incoming, outgoing, units)
                break


def _alike(trail: Trail, axis: int) -> bool:
    return trail.last.shape == trail.start.shape and all(
        same_bits(np.ascontiguousarray(np.take(a, [k], axis)), np.ascontiguousarray(np.take(a, [0], axis)))
        for a in (trail.start, trail.last)
        for k in range(1, a.shape[axis])
    )


def _lockstep(scene: Scene, incoming: Trail, outgoing: Trail, units: int) -> Finding:
    return make_finding(
        "BD317",
        f"all {units} units between `{incoming.name}` and `{outgoing.name}` are alike and stay alike: they learn as one",
        span=scene.place(incoming.name, "creation"),
        tensors=(incoming.name, outgoing.name),
        measured=f"the weights of the {units} units are bitwise equal at the start and after {incoming.changed} changes",
        explanations=(Explanation("they start equal, so they get equal gradients", "verified"),),
        help=f"start `{incoming.name}` at small random numbers",
        evidence={"units": units},
    )


def aliased(scene: Scene) -> Iterator[Finding]:
    """Two parameters in one array, each updated with a gradient of its own."""
    for first, second in scene.aliases:
        gradients = _different_gradients(scene.history, first, second)
        if not gradients or not scene.history.trails[first].changed:
            continue
        scene.explain([first, second])
        yield make_finding(
            "BD318",
            f"`{first}` and `{second}` are one and the same array: the update of each changes both",
            span=scene.place(second, "creation"),
            tensors=(first, second),
            measured=f"they share memory, and their gradients differ in {gradients} of {len(scene.history.samples)} steps",
            explanations=(Explanation("one array has two names", "verified"),),
            help=f"make `{second}` an array of its own, for instance with `.copy()`",
        )


def _different_gradients(history: History, first: str, second: str) -> int:
    pairs = [(s.gradients.get(first), s.gradients.get(second)) for s in history.samples]
    return sum(a is not None and b is not None and not same_bits(a, b) for a, b in pairs)


def stale(scene: Scene) -> Iterator[Finding]:
    """Gradients that stay the same, bit by bit, while the parameters and the loss move on."""
    names = [t.name for t in scene.trails() if t.changed and t.nonzero and _repeated(scene, t.name)]
    if not names or not _bends(scene.history):
        return
    for span, group in scene.grouped(names, "gradient"):
        scene.explain(group)
        yield make_finding(
            "BD319",
            f"the gradient of {ticked(group)} is never computed again: every step uses the first one",
            span=span,
            tensors=tuple(group),
            measured=f"bitwise the same in {len(_consecutive(scene.history))} steps while the parameters change",
            explanations=(Explanation("the backward pass runs outside the loop or returns what it kept", "consistent"),),
            help="compute the gradients inside the loop, after the forward pass",
        )


def _consecutive(history: History) -> list[int]:
    """The positions in `samples` of the longest run of consecutive steps from the first on."""
    found = [0] if history.samples else []
    for k in range(1, len(history.samples)):
        if history.samples[k].step != history.samples[k - 1].step + 1:
            break
        found.append(k)
    return found


def _repeated(scene: Scene, name: str) -> bool:
    run = [scene.history.samples[k].gradients.get(name) for k in _consecutive(scene.history)]
    if len(run) < FEWEST + 1 or any(g is None for g in run):
        return False
    return all(same_bits(run[0], g) for g in run[1:])  # type: ignore[arg-type]


def _bends(history: History) -> bool:
    """Whether the loss is no straight line along the steps: then its gradient cannot stay the same."""
    losses = dict(history.losses)
    run = [history.samples[k] for k in _consecutive(history)]
    drops = []
    for a, b in zip(run, run[1:], strict=False):
        if a.step not in losses or b.step not in losses:
            return False
        moved = [
            np.vdot(g.astype(float), a.after[n].astype(float) - a.before[n]) for n, g in a.gradients.items() if n in a.after
        ]
        drops.append((losses[b.step] - losses[a.step], float(sum(moved))))
    scale = max((abs(expected) for _, expected in drops), default=0.0)
    return len(drops) >= FEWEST and max(abs(real - expected) for real, expected in drops) > 1e-3 * scale > 0


def accumulated(scene: Scene) -> Iterator[Finding]:
    """Gradients that grow by the same amount in every step: the last ones were not cleared."""
    names = [t.name for t in scene.trails() if t.changed and t.nonzero and _piles_up(scene.history, t.name)]
    for span, group in scene.grouped(names, "gradient"):
        scene.explain(group)
        n = len(_consecutive(scene.history))
        yield make_finding(
            "BD320",
            f"the gradient of {ticked(group)} is added to those of all earlier steps",
            span=span,
            tensors=tuple(group),
            measured=f"its values grow as 1, 2, 3, … times the first ones over {n} consecutive steps",
            explanations=(Explanation("the gradient is added up and never set back to zero", "consistent"),),
            help="set the gradient to zero at the start of every step",
        )


def _piles_up(history: History, name: str) -> bool:
    run = [history.samples[k].gradients.get(name) for k in _consecutive(history)]
    if len(run) < FEWEST + 2 or any(g is None for g in run):
        return False
    first = run[0].astype(float)  # type: ignore[union-attr]
    size = float(np.linalg.norm(first))
    return size > 0 and all(
        float(np.linalg.norm(g.astype(float) - (k + 1) * first)) < 0.05 * (k + 1) * size  # type: ignore[union-attr]
        for k, g in enumerate(run)
    )
