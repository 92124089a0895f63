"""Parameters whose update never ran: paired with their gradients by name and shape."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from ..tape.algebra import Term
from ..tape.replay import Replay
from ..tape.tape import Binding
from .behind import Gradient
from .conventions import is_gradient_name, is_gradient_of
from .parameters import Parameter, Parameters


def by_names(parameters: Parameters) -> list[list[Parameter]]:
    """Parameters whose update never ran, paired with their gradients by name and shape: one training step, the last."""
    replay = parameters.replay
    index = replay.index
    gradients: dict[int, list[Binding]] = defaultdict(list)
    for b in replay.tape.bindings:
        if b.node is not None and is_gradient_name(b.parts) and np.size(replay.tape.nodes[b.node].value):
            gradients[b.node].append(b)
    found: dict[int, tuple[int, Parameter]] = {}
    for node, names in gradients.items():
        shape = np.shape(replay.tape.nodes[node].value)
        best: list[tuple[int, int, Binding]] = []
        for leaf in _sources(replay, node):
            if np.shape(replay.tape.nodes[leaf].value) == shape or np.size(replay.tape.nodes[leaf].value) == np.prod(shape):
                fits = [
                    (_fit(g, p), leaf, p) for p in index.names.get(leaf, ()) for g in names if is_gradient_of(g.parts, p.parts)
                ]
                best += fits
        if not best:
            continue
        top = max(score for score, _, _ in best)
        winners = {leaf for score, leaf, _ in best if score == top}
        if len(winners) != 1:
            continue
        leaf = winners.pop()
        binding = min((b for s, i, b in best if s == top and i == leaf), key=lambda b: (b.scope, b.at))
        g = max(names, key=lambda b: _specific(b))
        gradient = Gradient((Term(1.0, node),), (), g.name, replay.tape.nodes[node].site or g.site, True)
        found[leaf] = (node, Parameter(binding.name, binding.parts, binding.place, leaf, None, gradient))
    return [[p for _, p in sorted(found.values(), key=lambda item: item[0])]] if found else []


def _sources(replay: Replay, node: int) -> list[int]:
    """The leaves that a gradient may belong to: everything the whole program read from outside before it."""
    return [n.index for n in replay.tape.nodes[:node] if n.kind == "leaf" and np.asarray(n.value).dtype.kind == "f"]


def _specific(binding: Binding) -> int:
    return sum(any(c.isdigit() for c in str(p)) or not isinstance(p, str) for p in binding.parts)


def _fit(gradient: Binding, parameter: Binding) -> int:
    return is_gradient_of(gradient.parts, parameter.parts) + 10 * min(_specific(gradient), _specific(parameter))
