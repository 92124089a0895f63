"""Rung 2: keys, shapes and types of parameters and gradients that do not fit each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ....finding import Explanation, Finding, make_finding
from ..history import Trail
from ..names import are, is_gradient_name, last_word, listing, nearest, stems, ticked
from ..scene import Scene


def integers(scene: Scene) -> Iterator[Finding]:
    """A parameter that stays an array of integers: each step is cut to a whole number."""
    cut = [t.name for t in scene.trails() if _stays_integer(t)]
    for span, names in scene.grouped(cut, "creation"):
        scene.explain(names)
        dtype = scene.history.trails[names[0]].last.dtype
        text = f"{'they hold' if len(names) > 1 else 'it holds'} whole numbers, so every update is cut off to one"
        yield make_finding(
            "BD311",
            f"{ticked(names)} {are(names)} {dtype}: {text}",
            span=span,
            tensors=tuple(names),
            measured=_count(scene, names),
            explanations=(Explanation(f"{dtype} cannot hold the change `lr * gradient`", "verified"),),
            help=f"make {ticked(names)} of floats, for instance with `dtype=float`",
            evidence={"dtype": str(dtype)},
        )


def _stays_integer(trail: Trail) -> bool:
    if trail.last.dtype.kind not in "iu" or trail.start.dtype.kind not in "iu" or trail.last.ndim == 0:
        return False
    return trail.nonzero > 0 and not trail.integer_gradient


def shapes(scene: Scene) -> Iterator[Finding]:
    """A parameter whose shape grew by broadcasting: (n, 1) - (n,) is (n, n)."""
    for trail in scene.trails():
        if trail.last.shape == trail.start.shape:
            continue
        scene.explain([trail.name])
        gradient = trail.first_gradient
        why = f": its gradient has shape {gradient.shape}" if gradient is not None else ""
        yield make_finding(
            "BD310",
            f"`{trail.name}` grows from {trail.start.shape} to {trail.last.shape} when it is updated{why}",
            span=scene.place(trail.name, "update"),
            tensors=(trail.name,),
            measured=f"shape {trail.start.shape} at the start, {trail.last.shape} after {_steps(trail.samples)}",
            explanations=(Explanation("NumPy broadcasts two different shapes against each other", "verified"),),
            help=_shape_help(scene, trail, gradient),
            evidence={"start": list(trail.start.shape), "end": list(trail.last.shape)},
        )


def _shape_help(scene: Scene, trail: Trail, gradient: Any) -> str:
    name = scene.paired.get(trail.name, f"the gradient of {trail.name}")
    if gradient is not None and gradient.size == trail.start.size:
        return f"give `{name}` the shape {trail.start.shape}, for instance with `keepdims=True` where it is summed"
    return f"make the update of `{trail.name}` have its shape {trail.start.shape}"


def keys(scene: Scene) -> Iterator[Finding]:
    """A parameter that never changes and has no gradient under its name, while there are gradients left over."""
    spare = [g for g in scene.gradients if g not in scene.paired.values()]
    alone = [t for t in scene.trails() if t.name not in scene.paired and t.unchanged and t.samples]
    if not scene.paired or not alone:
        return
    for trail in alone:
        wanted = last_word(scene.parameters[trail.name]) or trail.name
        candidates = [g for g in spare if is_gradient_name(last_word(scene.gradients[g]))]
        meant = nearest(wanted, [last_word(scene.gradients[g]) for g in candidates]) or _same_letter(wanted, candidates)
        if meant is None and spare and not candidates:
            continue
        scene.explain([trail.name])
        close = f"; the nearest is `{meant}`" if meant is not None else ""
        yield make_finding(
            "BD309",
            f"`{trail.name}` never changes and there is no gradient under its name: "
            f"the keys are {listing(list(scene.gradients))}{close}",
            span=scene.place(trail.name, "update"),
            tensors=(trail.name,),
            measured=f"bitwise the same in {_steps(trail.samples)}",
            explanations=(Explanation(f"no gradient is stored for `{trail.name}`", "verified"),),
            help=f"store its gradient as `d{wanted}`" if meant is None else f"is `{meant}` meant for `{trail.name}`?",
            evidence={"keys": list(scene.gradients), "nearest": meant},
        )


def _same_letter(wanted: str, candidates: list[str]) -> str | None:
    """The only candidate that begins, less its affix, as the parameter does: `db_one` for `b1`."""
    same = [g for g in candidates if stems(g)[-1][:1].lower() == wanted[:1].lower()]
    return same[0] if len(same) == 1 else None


def _count(scene: Scene, names: list[str]) -> str:
    trail = scene.history.trails[names[0]]
    return f"changed in {trail.changed} of {_steps(trail.samples)}"


def _steps(n: int) -> str:
    return f"{n} step" if n == 1 else f"{n} steps"
