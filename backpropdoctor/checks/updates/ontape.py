"""The rungs for parameters that do change, fed from a tape: numbers by the ladder's causes, flow and silence by the
tape."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np

from ...finding import Explanation, Finding, make_finding
from ...source import Span
from ...tape.steps import Update
from ...tape.tape import Site
from . import flow
from .causes.lockstep import symmetric
from .causes.ratios import advice
from .causes.rounding import rounding
from .causes.zero import zero_start
from .forgotten import forgotten
from .names import is_gradient_name, is_parameter_name, last_word
from .piled import accumulated
from .quiet import constant_columns, zero_gradients
from .scene import Scene, What
from .standstill import standing_still
from .statements import Source, Statement, match
from .tracks import Moment, Recorded, Track


def shape_drift(recorded: Recorded) -> list[Finding]:
    """Parameters whose update gives them another shape, the first time it happens."""
    found: dict[Any, Finding] = {}
    read = _read_by_losses(recorded)
    grown: set[int] = set()
    made = recorded.live - {i for t in recorded.trainings for i in t.origins}
    for update in recorded.steps.updates:
        old, new = np.shape(recorded.nodes[update.old].value), np.shape(recorded.nodes[update.new].value)
        binding = update.binding or next(iter(recorded.bindings(update.new)), None)
        if old == new or binding is None or update.site is None or binding.place in found:
            continue
        if old == () and not read & {recorded.canon[update.old], recorded.canon[update.new]}:
            continue  # the 0 that a momentum begins as takes the shape of what is summed into it
        beginning = recorded.canon[recorded.steps.beginning(update.old)]
        if beginning in made or recorded.canon[update.new] in recorded.steps.begun_anew:
            continue  # a value that each step makes anew, and adds to: no parameter
        made_of = recorded.replay.upstream([t.node for t in update.terms])
        grown.add(recorded.canon[update.new])
        if grown & made_of:
            continue  # of a parameter that has grown before
        terms = [np.shape(recorded.nodes[t.node].value) for t in update.terms]
        name = binding.name
        site = _made_at(recorded, update) or update.site
        found[binding.place] = make_finding(
            "BD310",
            f"`{name}` grows from {old} to {new} when it is updated: what is subtracted has shape {terms[0]}",
            span=site.statement_span,
            label="" if site is update.site else f"has shape {terms[0]}",
            tensors=(name,),
            measured=f"shape {old} before the update at line {update.site.statement_span.line}, {new} after it",
            explanations=(Explanation("NumPy broadcasts two different shapes against each other", "verified"),),
            help=f"make the gradient of `{name}` have its shape {old}, for instance with {_way(old, terms[0])}",
        )
    return list(found.values())


def _way(old: tuple[int, ...], new: tuple[int, ...]) -> str:
    """How a gradient of another shape is usually brought to that of its parameter."""
    return "`keepdims=True`" if len(new) <= len(old) else "a sum over the samples"


def _read_by_losses(recorded: Recorded) -> set[int]:
    """What the losses are computed from, each in its own step: parameters, and no states of an update."""
    ends = [i for loss in recorded.losses.values() for i in loss.objective.nodes]
    return recorded.replay.upstream(ends, barrier=recorded.steps.new_values - {recorded.canon[i] for i in ends})


def _made_at(recorded: Recorded, update: Update) -> Site | None:
    """The statement that made the gradient which an update takes off, without the factors of the update."""
    if len(update.terms) != 1:
        return None
    chain = recorded.steps.algebra.all_scalings(update.terms[0].node)
    named = (s for s in chain if s.inside == 1.0 and any(b.how != "argument" for b in recorded.bindings(s.node)))
    found = next(named, None)
    if found is None:
        return None
    names = [b for b in recorded.bindings(found.node) if b.how == "assign"]  # the last name is what the update calls it by
    return names[-1].site if len(names) > 1 else recorded.nodes[found.node].site


def integer_drift(recorded: Recorded, sources: Collection[Source]) -> list[Finding]:
    """Arrays of integers that take part in the training and stay integers: each step is cut to whole numbers."""
    series: dict[Any, list[Any]] = {}
    for b in recorded.tape.bindings:
        if b.node is None or not is_parameter_name(last_word(b.parts)):
            continue
        value = np.asarray(recorded.nodes[b.node].value)
        if value.dtype.kind in "iu" and value.size > 1:
            seen = series.setdefault(b.place, [])
            if not seen or seen[-1].node != b.node:
                seen.append(b)
    found: list[Finding] = []
    seen_nodes: set[int] = set()
    for bindings in series.values():
        first, last = bindings[0], bindings[-1]
        if len(bindings) < 2 or recorded.replay.index.ancestors([first.node]) & seen_nodes:
            continue
        seen_nodes.add(first.node)
        above = recorded.replay.index.ancestors([last.node])
        if first.node not in above or not any(_is_step(recorded, i) for i in above if i > first.node):
            continue
        track = Track(first.name, first.parts, [Moment(0, (first.node,), ((),))])
        dtype = np.asarray(recorded.nodes[last.node].value).dtype
        found.append(
            make_finding(
                "BD311",
                f"`{first.name}` is {dtype}: it holds whole numbers, so every update is cut off to one",
                span=made_at(recorded, track, sources),
                tensors=(first.name,),
                measured=f"{dtype} before and after {len(bindings) - 1} recorded updates",
                explanations=(Explanation(f"{dtype} cannot hold the change `lr * gradient`", "verified"),),
                help=f"make `{first.name}` of floats, for instance with `dtype=float`",
                evidence={"dtype": str(dtype)},
            )
        )
    return found


def _is_step(recorded: Recorded, index: int) -> bool:
    """Whether a value is a gradient by one of its names."""
    value = np.asarray(recorded.nodes[index].value)
    return value.dtype.kind == "f" and any(is_gradient_name(last_word(b.parts)) for b in recorded.bindings(index))


def scene_of(recorded: Recorded, tracks: Sequence[Track], sources: Collection[Source]) -> Scene:
    """The tracks as a scene, with the places that the tape knows."""
    by_name = {t.name: t for t in tracks}

    def place(name: str, what: What) -> Span | None:
        track = by_name.get(name)
        if track is None:
            return None
        if what == "gradient":
            return track.gradient_site.statement_span if track.gradient_site else None
        if what == "update":
            sites = [u.site for m in track.moments for u in recorded.updates_of(m) if u.site is not None]
            return sites[0].statement_span if sites else None
        return made_at(recorded, track, sources)

    scene = Scene(recorded.history(tracks), {t.name: t.parts for t in tracks}, place=place)
    scene.paired = {t.name: t.gradient_name or f"d{t.name}" for t in tracks}
    scene.gradients = {g: (g,) for g in scene.paired.values()}
    return scene


def made_at(recorded: Recorded, track: Track, sources: Collection[Source]) -> Span | None:
    """The first statement that gives the parameter a value, by any of its names."""
    names = [track.parts, *(b.parts for i in track.moments[0].origins for b in recorded.bindings(i))]
    for parts in names:
        for source in sources:
            found: list[Statement] = [
                s for s in source.assignments if s not in source.updates and match(s, parts) == 2 and _makes(s)
            ]
            if found:
                return source.span(found[0].node)
    return None


def _makes(statement: Statement) -> bool:
    """Whether a statement creates a value, and does not only give a held one another name."""
    return not isinstance(statement.value, (ast.Name, ast.Subscript, ast.Attribute))


def factors_of(tracks: Sequence[Track]) -> dict[str, float]:
    """c of `update = -c * gradient` where the code's own factors give it."""
    found = {}
    for track in tracks:
        known = {m.factor for m in track.moments}
        if len(known) == 1 and None not in known:
            found[track.name] = abs(known.pop() or 0.0)
    return found


def climb_tape(
    recorded: Recorded,
    tracks: Sequence[Track],
    sources: Collection[Source],
    *,
    wrong: Collection[str] = (),
    alone: bool = True,
) -> list[Finding]:
    """The findings about parameters that do change. `wrong` names those whose gradient is known to be wrong.

    `alone` says that nothing else was found: notes are for runs with no other fault.
    """
    if not tracks:
        return []
    scene = scene_of(recorded, tracks, sources)
    if scene.history.nonfinite is not None:
        return []
    scene.factors = factors_of(tracks)
    found = [*rounding(scene), *zero_start(scene)]
    found += zero_gradients(recorded, [t for t in tracks if t.name not in scene.explained], scene, wrong)
    found += [*symmetric(scene), *aliased(recorded, tracks, sources), *forgotten(recorded)]
    left = [t for t in tracks if t.name not in scene.explained]
    old = [*accumulated(recorded, left), *flow.stale(recorded, left)]
    found += [*old, *([] if old else flow.twice(recorded, left)), *flow.unused_momentum(recorded, left)]
    if not found:
        found += flow.ascent(recorded, left)
    if alone and not found and not wrong:
        found += standing_still(recorded, left, scene)
    if alone and not found:
        found += constant_columns(recorded, left, scene, wrong)
    return [*found, *advice(scene)] if alone and not found else found


def aliased(recorded: Recorded, tracks: Sequence[Track], sources: Collection[Source]) -> Iterator[Finding]:
    """Two parameters in one array, written in place one after the other with different gradients."""
    done = set()
    for first in recorded.steps.updates:
        for second in recorded.from_node.get(first.new, ()):
            if not _writes(recorded, first) or not _writes(recorded, second):
                continue
            names = _two_names(recorded, first, second)
            place = None if names is None or names in done else _second_name(names, sources)
            if names is None or place is None:
                continue
            done.add(names)
            yield make_finding(
                "BD318",
                f"`{names[0]}` and `{names[1]}` are one and the same array: the update of each changes both",
                span=place,
                tensors=names,
                measured="both updates write into the same memory in one step",
                explanations=(Explanation("one array has two names", "verified"),),
                help=f"make `{names[1]}` an array of its own, for instance with `.copy()`",
            )


def _writes(recorded: Recorded, update: Any) -> bool:
    return recorded.nodes[update.new].kind == "write" and update.binding is not None


def _two_names(recorded: Recorded, first: Any, second: Any) -> tuple[str, str] | None:
    a, b = first.binding, second.binding
    if a.place == b.place or a.name == b.name or a.scope != b.scope or a.parts[:-1] != b.parts[:-1]:
        return None
    if flow.iteration_of(recorded, first.new) != flow.iteration_of(recorded, second.new):
        return None
    return a.name, b.name


def _loops(block: object) -> bool:
    return isinstance(block, (ast.For, ast.While))


def _second_name(names: tuple[str, str], sources: Collection[Source]) -> Span | None:
    """The statement that gives the array its second name."""
    for source in sources:
        for statement in source.assignments:
            text = ast.unparse(statement.target)
            if text not in names or statement in source.updates or any(_loops(b) for b, _ in statement.blocks):
                continue
            other = names[0] if text == names[1] else names[1]
            targets = [ast.unparse(t) for t in getattr(statement.node, "targets", [])]
            if ast.unparse(statement.value) == other or (other in targets and len(targets) > 1):
                return source.span(statement.node)
    return None
