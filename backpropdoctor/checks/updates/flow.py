"""Faults in how updates follow one another on a tape: twice in a step, with old gradients, up the loss, momentum
unused."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from itertools import pairwise

import numpy as np

from ...finding import Explanation, Finding, make_finding
from ...tape.adjoint import sure_slope
from ...tape.steps import Update
from ...tape.tape import Site
from .names import is_gradient_name, last_word, ticked
from .tracks import Recorded, Track

MOST_UPDATES = 64  # of one parameter that are followed
_MAXIMISED = re.compile(r"likelihood|reward|return|score|accura|elbo|utility|gain|fitness", re.IGNORECASE)


def iteration_of(recorded: Recorded, node: int) -> tuple[int, int] | None:
    """The innermost iteration (instance, number) of the loops that hold the training steps in which a node was made."""
    starts = recorded.training_rounds
    at = bisect_right(starts, (node, float("inf")))
    return starts[at - 1][2:] if at else None  # type: ignore[return-value]


def gradient_of(recorded: Recorded, update: Update) -> tuple[int, float] | None:
    """The raw node behind an update's only term without its scalar factors, and their product."""
    if len(update.terms) != 1:
        return None
    chain = recorded.scalings(update.terms[0].node)
    return chain[-1].node, update.terms[0].factor * chain[-1].product


def twice(recorded: Recorded, tracks: Sequence[Track]) -> Iterator[Finding]:
    """Two updates in a row with the very same gradient, which was not computed again in between."""
    groups: dict[Site, list[tuple[str, Site]]] = defaultdict(list)
    for track in tracks:
        for first, second in _pairs(recorded, track):
            a, b = gradient_of(recorded, first), gradient_of(recorded, second)
            if a is None or b is None or a != b or not np.any(recorded.nodes[a[0]].value):
                continue
            if first.site is None or second.site is None:
                continue
            if iteration_of(recorded, first.new) == iteration_of(recorded, second.new):
                again = _call_site(recorded, first, second) if first.site.id == second.site.id else None
                groups[again or second.site].append((track.name, first.site))
    for site, found in groups.items():
        unique = list(dict.fromkeys(name for name, _ in found))
        first_site = found[0][1]
        place = site.statement_span
        yield make_finding(
            "BD322",
            f"`{place.text.splitlines()[0]}` updates {ticked(unique)} a second time with the same gradient",
            span=place,
            tensors=tuple(unique),
            measured="two updates in one step, one gradient, the same factor: each step is twice what it should be",
            explanations=(Explanation("the gradient is not computed again between the two updates", "verified"),),
            help="drop one of the two updates",
            related=((first_site.statement_span, "the first update"),),
        )


def _pairs(recorded: Recorded, track: Track) -> Iterator[tuple[Update, Update]]:
    for moment in track.moments:
        for first in recorded.updates_of(moment):
            for second in recorded.from_node.get(first.new, ()):
                if second.new > first.new:
                    yield first, second


def _call_site(recorded: Recorded, first: Update, second: Update) -> Site | None:
    """Where the function that updates is called for the second of two updates."""
    a = recorded.tape.scopes.get(recorded.nodes[first.new].scope)
    b = recorded.tape.scopes.get(recorded.nodes[second.new].scope)
    return b.call if a is not None and b is not None and a.id != b.id else None


def stale(recorded: Recorded, tracks: Sequence[Track]) -> Iterator[Finding]:
    """Updates in different steps that use one and the same gradient: it was computed once, before or outside the
    loop."""
    old: dict[Site | None, list[str]] = defaultdict(list)
    for track in tracks:
        uses = defaultdict(set)
        for update in updates_of_place(recorded, track):
            found = gradient_of(recorded, update)
            if found is not None and np.any(recorded.nodes[found[0]].value) and np.size(recorded.nodes[found[0]].value) > 0:
                uses[found[0]].add(iteration_of(recorded, update.new))
        for node, rounds in uses.items():
            if len(rounds) >= 2 and recorded.nodes[node].kind != "write" and _is_gradient(recorded, node):
                site = recorded.nodes[node].site or _first_site(recorded, node)
                old[site].append(track.name)
    if old:
        unique = list(dict.fromkeys(name for names in old.values() for name in names))
        sites = [site.statement_span for site in old if site is not None]
        yield make_finding(
            "BD319",
            f"the gradient of {ticked(unique)} is computed once and used in every step",
            span=sites[0] if sites else None,
            tensors=tuple(unique),
            measured="the same array, unchanged, in several steps while the parameters change",
            explanations=(Explanation("it is not computed again after the update", "verified"),),
            help="compute the gradients inside the loop, after the forward pass",
            related=tuple((span, "computed here, once") for span in sites[1:]),
        )


def _is_gradient(recorded: Recorded, node: int) -> bool:
    """Whether a value comes from the parameters, or is called a gradient: a sample that is seen again is none."""
    named = any(is_gradient_name(last_word(b.parts)) for b in recorded.bindings(node))
    return named or recorded.canon[node] in recorded.live


def _first_site(recorded: Recorded, node: int) -> Site | None:
    names = recorded.bindings(node)
    return names[0].site if names else None


def updates_of_place(recorded: Recorded, track: Track) -> list[Update]:
    """All updates along the chain of versions that begins with the track's first."""
    found: list[Update] = []
    at = [recorded.canon[i] for i in track.moments[0].origins]
    seen = set(at)
    while at and len(found) < MOST_UPDATES:
        for update in recorded.from_version.get(at.pop(0), ()):
            found.append(update)
            if recorded.canon[update.new] not in seen:
                seen.add(recorded.canon[update.new])
                at.append(recorded.canon[update.new])
    return found


def unused_momentum(recorded: Recorded, tracks: Sequence[Track]) -> Iterator[Finding]:
    """A value fed with gradients step by step, of the shape of a parameter, that nothing ever reads."""
    if not recorded.tape.complete:
        return  # what reads it may stand on the part that was not recorded
    consumers = recorded.replay.index.consumers
    chains: dict[Hashable, list[Update]] = defaultdict(list)
    for update in recorded.steps.updates:
        if update.binding is not None and np.size(recorded.nodes[update.new].value) > 1:
            chains[update.binding.place].append(update)
    gradients = {t.node for track in tracks for m in track.moments for terms in m.terms for t in terms}
    parameters = {i for track in tracks for m in track.moments for i in m.origins}
    shapes = {np.shape(recorded.nodes[i].value) for i in parameters}
    canonical = {recorded.canon[i] for i in parameters}

    def versions(i: int) -> bool:
        """An average of the weights is fed with these, and not with gradients."""
        return recorded.canon[i] in canonical

    groups: dict[Site, list[str]] = defaultdict(list)
    for updates in chains.values():
        if len(updates) < 2 or np.shape(recorded.nodes[updates[0].new].value) not in shapes:
            continue
        if updates[0].binding is None or is_gradient_name(last_word(updates[0].binding.parts)):
            continue  # a gradient that is summed up is none of these
        if any(recorded.canon[u.old] in canonical for u in updates):
            continue
        if any(recorded.canon[a.new] != recorded.canon[b.old] for a, b in pairwise(updates)):
            continue  # a variable that stands for one array after the other
        if _read(updates, consumers) or updates[-1].binding is None or updates[-1].site is None:
            continue
        if all(gradients & recorded.replay.index.ancestors([t.node for t in u.terms], versions) for u in updates):
            groups[updates[-1].site].append(updates[-1].binding.name)
    for site, names in groups.items():
        unique = list(dict.fromkeys(names))
        yield make_finding(
            "BD323",
            f"{ticked(unique)} {'are' if len(unique) > 1 else 'is'} computed in every step and never used",
            span=site.statement_span,
            tensors=tuple(unique),
            measured="nothing reads the value but its own next update",
            explanations=(Explanation("the update uses the gradient itself", "verified"),),
            help=f"update the parameter with {ticked(unique[:1])}, or drop the line",
        )


def _read(updates: Sequence[Update], consumers: dict[int, list[int]]) -> bool:
    """Whether anything but the chain itself reads one of its values."""
    own: set[int] = set()
    for update in updates:
        own.add(update.new)
        own |= {t.node for t in update.terms}
    for update in updates[:-1]:
        for reader in consumers.get(update.new, ()):
            if reader in own:
                continue
            if not set(consumers.get(reader, ())) & own or len(set(consumers.get(reader, ())) - own) > 0:
                return True
    return bool(consumers.get(updates[-1].new))


def ascent(recorded: Recorded, tracks: Sequence[Track]) -> Iterator[Finding]:
    """Steps along which the loss rises at first order, in every recorded step."""
    slopes = []
    names: list[str] = []
    for training in recorded.trainings:
        loss = recorded.losses.get(training.step)
        if loss is None or loss.source == "implied" or _MAXIMISED.search(loss.name):
            return
        moved = {}
        for track in tracks:
            at = next((k for k, m in enumerate(track.moments) if m.step == training.step), None)
            if at is None or len(track.moments[at].origins) != 1:
                continue
            before, after = recorded.value(track.moments[at].origins), recorded.after(track, at)
            if before.shape == after.shape and np.any(before != after):
                moved[track.moments[at].origins[0]] = after.astype(float) - before.astype(float)
                names.append(track.name)
        if not moved:
            return
        slope = sure_slope(recorded.replay.line(moved, loss.objective))
        if slope is None or slope.value <= 0:
            return
        slopes.append(slope.value)
    if len(slopes) < 2:
        return
    loss = next(iter(recorded.losses.values()), None)
    first = next((u for t in tracks for u in updates_of_place(recorded, t)), None)
    unique = list(dict.fromkeys(names))
    yield make_finding(
        "BD321",
        f"every step goes up the {loss.name if loss else 'loss'}: the update has the sign of the gradient",
        span=first.site.statement_span if first is not None and first.site is not None else None,
        tensors=tuple(unique),
        measured=f"along the steps taken the slope of the loss is positive in all {len(slopes)} recorded steps "
        f"({slopes[0]:.3g} in the first)",
        explanations=(Explanation("the loss rises along the change of the parameters, at first order", "verified"),),
        help="subtract `lr * gradient`, or look for a lost sign in the backward pass",
    )
