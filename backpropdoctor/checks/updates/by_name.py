"""Parameters that no update shows: values from outside that have a gradient by its name only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ...tape.tape import Binding, Node
from .history import same_bits
from .names import Parts, fit, is_gradient_name, is_parameter_name, last_word

if TYPE_CHECKING:
    from .tracks import Recorded

Named = tuple[Node, Binding, list[Binding]]


def with_named_gradients(recorded: Recorded) -> Iterator[Named]:
    """Each value that never changes and has, by name and shape, a gradient in two steps or more, with these."""
    series = _gradient_series(recorded)
    for node in recorded.nodes:
        if node.kind in ("leaf", "random") and np.asarray(node.value).dtype.kind in "fi" and np.size(node.value):
            if _moves_on(recorded, node):
                continue
            found = _with_gradients(recorded, node, series)
            if found is not None:
                yield found


def _moves_on(recorded: Recorded, node: Node) -> bool:
    """Whether updates change a value and go on from there: a velocity, an average, not a dead value."""
    canon, later = recorded.canon, recorded.from_version
    return any(
        later.get(canon[u.new]) and not same_bits(recorded.value((u.old,)), recorded.value((u.new,)))
        for u in later.get(canon[node.index], ())
    )


def _gradient_series(recorded: Recorded) -> list[list[Binding]]:
    """What each name of a gradient stood for, in order; a name that stands for several in one round is left out."""
    found: dict[Parts, dict[int, Binding]] = {}
    for b in recorded.tape.bindings:
        if b.node is not None and b.how in ("assign", "augmented", "element") and _is_gradient(b):
            found.setdefault(b.parts, {}).setdefault(b.node, b)
    rounds: dict[int, int] = {}
    for it in recorded.tape.iterations:
        rounds[it.instance] = it.number + 1
    most = max(rounds.values(), default=0)
    return [list(s.values()) for s in found.values() if 2 <= len(s) <= most]


def _is_gradient(b: Binding) -> bool:
    words = [p for p in b.parts if isinstance(p, str)]
    return any(map(is_gradient_name, words[-2:]))


def _with_gradients(recorded: Recorded, node: Node, gradients: list[list[Binding]]) -> Named | None:
    """A value with the gradients whose name fits best to one of its own."""
    names = [b for b in recorded.bindings(node.index) if is_parameter_name(last_word(b.parts)) or len(b.parts) > 1]
    best: tuple[int, Binding, list[Binding]] | None = None
    for series in gradients if names else ():
        if any(np.shape(recorded.nodes[g.node or 0].value) != np.shape(node.value) for g in series):
            continue
        for b in names:
            rank = fit(series[0].parts, b.parts)
            if rank and (best is None or rank > best[0]):
                best = (rank, b, series)
    if best is None or not _stays(recorded, node, best[2]):
        return None
    return node, best[1], best[2]


def _stays(recorded: Recorded, node: Node, series: list[Binding]) -> bool:
    """Whether every gradient was computed from this very value, or none is and all are zero."""
    here = recorded.canon[node.index]
    goals = [g.node for g in series if g.node is not None]
    used = [here in recorded.replay.upstream([g]) for g in goals]
    return all(used) or (
        not any(used) and not any(np.any(recorded.nodes[g].value) for g in goals) and not _filled(recorded, goals)
    )


def _filled(recorded: Recorded, nodes: list[int]) -> bool:
    """Whether any of the values is filled in place later: the zeros that a sum begins at are no gradient."""
    written = {node.args[0].index for node in recorded.nodes if node.kind == "write"}
    return not written.isdisjoint(nodes)
