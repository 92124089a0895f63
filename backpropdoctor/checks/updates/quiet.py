"""Gradients that are zero on a tape: dead and saturated units, inputs that are always zero, parameters without
effect."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from ...finding import Explanation, Finding, make_finding
from ...source import Span
from ...tape.adjoint import Tensor
from ...tape.tape import Node, Ref
from .names import ticked
from .scene import Scene
from .standstill import fits, whole
from .tracks import Recorded, Track

FEWEST = 3  # recorded steps: behind a gate that starts at zero the first gradient is zero, the next ones are not
NOTHING = 1e-12  # of the loss: what moving a parameter by its own size must change to count as an effect
MANY = 0.5  # a layer of which half the units never answer; a few dead units are common in runs that learn


def zero_gradients(recorded: Recorded, tracks: Sequence[Track], scene: Scene, wrong: Collection[str]) -> Iterator[Finding]:
    """Parameters whose gradient is exactly zero in every recorded step, and layers with most of their units dead."""
    said: set[int] = set()
    nothing = [t for t in tracks if len(t.moments) >= FEWEST and not any(np.any(g) for g in _gradients(recorded, t))]
    for track in nothing:
        if track.name in wrong or track.name in scene.explained:
            continue
        finding = _explained(recorded, track, [t.name for t in nothing], said)
        if finding is not None:
            scene.explain(finding.tensors)
            yield finding
    for track in tracks:
        if track not in nothing and track.name not in wrong and len(track.moments) >= FEWEST:
            yield from _half_dead(recorded, track, said)


def _gradients(recorded: Recorded, track: Track) -> list[np.ndarray]:
    return [g for m in track.moments if (g := recorded.gradient(m)) is not None]


def _explained(recorded: Recorded, track: Track, names: list[str], said: set[int]) -> Finding | None:
    losses = list(recorded.losses.values())
    if not losses or not recorded.trainings:
        return None
    pairs = [
        (tuple(recorded.canon[i] for i in moment.origins), loss, recorded.replay.upstream(loss.objective.nodes))
        for moment in reversed(track.moments)
        for loss in reversed(losses)
    ]
    used = next(((where, loss, goal) for where, loss, goal in pairs if set(where) & goal), None)
    if used is None:
        return _without_effect(recorded, track, losses[0].name)
    where, loss, goal = used
    slope = recorded.trainings[0].adjoints.slope(Tensor(track.name, where), loss.objective, 0)
    if slope is None:
        return None
    if abs(slope.value) > 4 * slope.error + NOTHING * abs(loss.value):
        return _missing(recorded, track, loss.name)
    unit = _silent_units(recorded, where, goal)
    if unit is None:
        return None
    node, kind = unit
    if node.index in said or (kind == "saturated" and fits(recorded, loss)):
        return None
    said.add(node.index)
    return _units(recorded, node, kind, names, 1.0)


def _without_effect(recorded: Recorded, track: Track, loss: str) -> Finding:
    span = track.gradient_site.statement_span if track.gradient_site else None
    return make_finding(
        "BD315",
        f"the {loss} does not depend on `{track.name}`",
        span=span,
        tensors=(track.name,),
        measured=f"its gradient is exactly zero in {len(track.moments)} recorded steps, and no operation leads from it "
        "to the loss",
        explanations=(Explanation("it is not on the path to the loss", "verified"),),
        help=f"use `{track.name}` in the forward pass, or drop it",
    )


def _missing(recorded: Recorded, track: Track, loss: str) -> Finding:
    span = track.gradient_site.statement_span if track.gradient_site else None
    return make_finding(
        "BD316",
        f"the gradient of `{track.name}` is exactly zero although the {loss} depends on it",
        span=span,
        tensors=(track.name,),
        measured=f"zero in {len(track.moments)} recorded steps; the {loss} moves when `{track.name}` is moved",
        explanations=(Explanation("a term is missing in the backward pass", "verified"),),
        help=f"derive the gradient of `{track.name}` again",
    )


def _silent_units(recorded: Recorded, origins: Collection[int], goal: set[int]) -> tuple[Node, str] | None:
    """The first operation behind a parameter whose result no longer moves: all zero (ReLU) or all at its limits."""
    for i in sorted(recorded.replay.downstream(origins) & goal):
        node = recorded.nodes[i]
        value = np.asarray(node.value)
        if node.kind != "op" or value.size < 2 or value.dtype.kind != "f":
            continue
        inputs = [np.asarray(recorded.nodes[a.index].value) for a in node.args if isinstance(a, Ref)]
        same = [x for x in inputs if x.shape == value.shape and x.dtype.kind == "f"]
        if same and not value.any() and all((x <= 0).all() for x in same if x.any()) and any(x.any() for x in same):
            return node, "dead"
        at_limits = (np.isin(value, (0.0, 1.0)).all() and value.any()) or np.all(np.abs(value) == 1)
        if at_limits and any(not np.isin(x, (-1.0, 0.0, 1.0)).all() for x in same):
            return whole(recorded, node, goal), "saturated"
    return None


def _units(recorded: Recorded, node: Node, kind: str, names: Sequence[str], share: float) -> Finding:
    text = node.site.span.text.splitlines()[0] if node.site else "a layer"
    what = "is 0 for every sample" if kind == "dead" else "is exactly at its limits for every sample"
    why = "no sample makes a unit active" if kind == "dead" else "its inputs are so large that its slope is exactly 0"
    return make_finding(
        "BD312" if kind == "dead" else "BD313",
        f"`{text}` {what}, so the gradient of {ticked(list(names))} is exactly zero",
        span=node.site.span if node.site else None,
        severity="error" if share == 1 else "warning",
        tensors=tuple(names),
        measured=f"in all recorded steps; the loss does not move when {ticked(list(names))} is moved",
        explanations=(Explanation(why, "verified"),),
        help="start with smaller weights and a bias near 0, scale the inputs, or take a smaller learning rate",
    )


def _half_dead(recorded: Recorded, track: Track, said: set[int]) -> Iterator[Finding]:
    """A weight matrix of which at least half the units get no gradient because a rectifier never lets them through."""
    gradients = _gradients(recorded, track)
    if not gradients or min(gradients[0].shape, default=0) < 2 or len({g.shape for g in gradients}) != 1:
        return
    zero = np.logical_and.reduce([g == 0 for g in gradients])
    for axis in (0, 1) if gradients[0].ndim == 2 else ():
        dead = zero.all(axis=axis)
        if dead.size < 2 or dead.mean() < MANY:
            continue
        found = _rectifier(recorded, track, dead)
        if found is None or found.index in said:
            continue
        said.add(found.index)
        n = int(dead.sum())
        text = found.site.span.text.splitlines()[0] if found.site else "a layer"
        yield make_finding(
            "BD312",
            f"{n} of {dead.size} units of `{text}` are 0 for every sample: their weights in `{track.name}` never change",
            span=found.site.span if found.site else None,
            tensors=(track.name,),
            measured=f"never active in {len(gradients)} recorded steps",
            explanations=(Explanation("no sample makes these units active", "verified"),),
            help="start with smaller weights and a bias near 0, or take a smaller learning rate",
            evidence={"units": np.flatnonzero(dead).tolist()},
        )


def _rectifier(recorded: Recorded, track: Track, dead: np.ndarray) -> Node | None:
    """The first elementwise result behind the parameter that is zero exactly for the dead units, from inputs not
    above 0."""
    last = [recorded.canon[i] for i in track.moments[-1].origins]
    goals = [i for loss in recorded.losses.values() for i in loss.objective.nodes]
    made = recorded.steps.new_values
    for i in sorted((recorded.replay.downstream(last) & recorded.replay.upstream(goals)) - made):
        node = recorded.nodes[i]
        value = np.asarray(node.value)
        if node.kind != "op" or value.ndim != 2 or value.dtype.kind != "f":
            continue
        for axis in (0, 1):
            if value.shape[1 - axis] != dead.size or not np.array_equal(~value.any(axis=axis), dead):
                continue
            same = [np.asarray(recorded.nodes[a.index].value) for a in node.args if isinstance(a, Ref)]
            same = [x for x in same if x.shape == value.shape and x.dtype.kind == "f"]
            if any((np.compress(dead, x, axis=1 - axis) <= 0).all() and x.any() for x in same):
                return node
    return None


# ---- inputs that are always zero


def constant_columns(recorded: Recorded, tracks: Sequence[Track], scene: Scene, wrong: Collection[str]) -> Iterator[Finding]:
    """A note on weights that meet inputs which are zero in every sample of the data: they cannot move."""
    live = {recorded.canon[i] for t in tracks for m in t.moments for i in m.origins}
    below = recorded.replay.downstream(live)
    for track in tracks:
        gradients = _gradients(recorded, track)
        if track.name in wrong or not gradients or gradients[0].ndim != 2 or not _right(recorded, track):
            continue
        zero = np.logical_and.reduce([g == 0 for g in gradients if g.shape == gradients[0].shape])
        for axis in (0, 1):
            lines = zero.all(axis=axis)
            if not lines.any() or lines.all():
                continue
            silent = _silent_inputs(recorded, track, below, lines)
            if silent is not None:
                yield _note(track, silent, lines.size, scene.place(track.name, "update"))
                break


def _right(recorded: Recorded, track: Track) -> bool:
    """Whether the gradient is that of the loss, up to a factor: what is zero in a wrong one says nothing."""
    for training in recorded.trainings:
        for held in training.parameters:
            if held.tensor.name == track.name and training.loss is not None:
                ratio = training.adjoints.ratio(held.claim, training.loss.objective)
                return ratio is not None and ratio.value is not None
    return False


def _silent_inputs(recorded: Recorded, track: Track, below: set[int], lines: np.ndarray) -> int | None:
    """How many features are zero in the whole data set, if these are among the ones without a gradient."""
    nodes = {t.node for m in track.moments for terms in m.terms for t in terms}
    for i in sorted(recorded.replay.upstream(nodes)):
        node = recorded.nodes[i]
        value = np.asarray(node.value)
        if i in below or node.kind not in ("leaf", "random") or value.ndim != 2 or value.dtype.kind not in "fiu":
            continue
        for axis in (0, 1):
            if value.shape[1 - axis] != lines.size or value.shape[0] == value.shape[1]:
                continue
            silent = ~value.any(axis=axis)
            if silent.any() and not (silent & ~lines).any() and value.any():
                return int(silent.sum())
    return None


def _note(track: Track, silent: int, features: int, span: Span | None) -> Finding:
    many = silent > 1
    return make_finding(
        "BD314",
        f"{silent} of {features} inputs of `{track.name}` are 0 in every sample, so the weights behind "
        f"{'them' if many else 'it'} never change",
        span=span,
        tensors=(track.name,),
        measured=f"their gradient is exactly zero in {len(track.moments)} recorded steps, "
        "and the data hold nothing but zeros there",
        help="nothing is wrong with the training; leave the inputs out to save their weights",
        evidence={"inputs": silent, "of": features},
    )
