"""Trainings in which no statement changes a parameter: one gives it the value that it has, or there is none at all."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ...finding import Explanation, Finding, make_finding
from ...tape.tape import Site
from .names import ticked
from .statements import Source
from .tracks import Recorded, Track

FEWEST = 3  # rounds with one and the same loss before it is said to stand still


def idle(recorded: Recorded, tracks: Sequence[Track], sources: Mapping[str, Source], measured: str) -> list[Finding]:
    """Findings about parameters that have gradients in every step, and whose update stands nowhere.

    `measured` says how long they stayed as they are. Where only some parameters of a training are idle, and no statement
    gives them to themselves, nothing is said: they may be meant to stay as they are.
    """
    groups: dict[int, tuple[Site, list[Track]]] = {}
    for track in tracks:
        for site in _to_itself(recorded, track):
            groups.setdefault(id(site.statement), (site, []))[1].append(track)
            break
    found = [_to_itself_finding(site, group, measured) for site, group in groups.values()]
    everything = {t.name for t in recorded.tracks} == {t.name for t in tracks}
    return found or (_nowhere(recorded, tracks, sources, measured) if tracks and everything else [])


def _to_itself(recorded: Recorded, track: Track) -> Iterator[Site]:
    """The assignments that give a parameter the value it has under the very same name."""
    for b in (b for i in track.moments[0].origins for b in recorded.bindings(i)):
        statement = b.site.statement
        if b.how == "assign" and isinstance(statement, ast.Assign) and _is_given_itself(statement):
            yield b.site


def _is_given_itself(statement: ast.Assign) -> bool:
    return len(statement.targets) == 1 and ast.unparse(statement.targets[0]) == ast.unparse(statement.value)


def _to_itself_finding(site: Site, tracks: Sequence[Track], measured: str) -> Finding:
    names, text = [t.name for t in tracks], ast.unparse(site.statement)
    return make_finding(
        "BD324",
        f"`{text}` gives a parameter the value that it has: {ticked(names)} {'are' if len(names) > 1 else 'is'} never updated",
        span=site.statement_span,
        tensors=tuple(names),
        measured=measured,
        explanations=(Explanation("seen on the record of the run", "verified"),),
        help="subtract the learning rate times the gradient there",
    )


def _nowhere(recorded: Recorded, tracks: Sequence[Track], sources: Mapping[str, Source], measured: str) -> list[Finding]:
    """That the loss stands still since nothing changes any parameter; a warning, since a script may look at gradients only."""
    loop, values = next((e.site for e in recorded.tape.iterations), None), _losses(recorded)
    if loop is None or loop.span.path not in sources or len(values) < FEWEST or len(set(values)) > 1:
        return []
    names = [t.name for t in tracks]
    return [
        make_finding(
            "BD324",
            f"the loss never moves: no statement changes {ticked(names)}",
            severity="warning",
            span=sources[loop.span.path].header_span(loop.statement),
            tensors=tuple(names),
            measured=f"{measured}; the loss is {values[0]:.6g} in {len(values)} rounds",
            help="if this loop is to train, subtract the learning rate times the gradient from each parameter",
        )
    ]


def _losses(recorded: Recorded) -> list[float]:
    """What the script's own loss was, each time that it was computed."""
    loss = next((x for x in recorded.losses.values() if x.source == "found" and len(x.objective.nodes) == 1), None)
    site = recorded.nodes[loss.objective.nodes[0]].site if loss is not None else None
    if site is None:
        return []
    return [float(np.reshape(n.value, ())) for n in recorded.nodes if n.site is site and np.size(n.value) == 1]
