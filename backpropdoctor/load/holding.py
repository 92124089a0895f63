"""The parameters of a step with the gradients that the code holds for them, as claims that can be measured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..tape.adjoint import Claim, Tensor, shaped
from ..tape.replay import Replay
from ..tape.training import Held
from .behind import Gradient
from .conventions import is_learning_rate
from .naming import told_apart
from .parameters import Parameter
from .penalties import split


def hold(parameters: list[Parameter], replay: Replay, unpaired: list[str], namespace: Mapping[str, Any]) -> Iterator[Held]:
    """Each parameter with its gradient; why there is none goes to `unpaired`."""
    groups = list(_grouped(parameters, replay))
    names = [m[0].name if len(m) == 1 else _list_name(m) for m in groups]
    names = told_apart(names, [m[0].home for m in groups], namespace)
    for name, members in zip(names, groups, strict=True):
        ready = [(p, p.gradient) for p in members if p.gradient is not None]
        if not ready:
            unpaired.append(f"no gradient was found behind the update of `{name}`")
            continue
        held = _hold(name, ready, replay)
        if held is None:
            p, g = ready[0]
            shapes = np.shape(replay.tape.nodes[g.terms[0].node].value), np.shape(replay.tape.nodes[p.origin].value)
            unpaired.append(f"the gradient of `{name}` has shape {shapes[0]}, `{name}` itself {shapes[1]}")
            continue
        yield held


def _grouped(parameters: list[Parameter], replay: Replay) -> Iterator[list[Parameter]]:
    """Parameters one by one, but the numbers of a list (of lists) together."""
    groups: dict[object, list[Parameter]] = defaultdict(list)
    for p in parameters:
        in_list = np.ndim(replay.tape.nodes[p.origin].value) == 0 and len(p.parts) > 1 and isinstance(p.parts[-1], int)
        groups[_list_of(p) if in_list else (p.place, p.origin)].append(p)
    yield from groups.values()


def _list_of(p: Parameter) -> tuple[object, ...]:
    """What tells lists of numbers apart: their name, and themselves where they stand in a record, `neuron['weights'][2]`."""
    in_record = any(isinstance(part, str) for part in p.parts[1:]) and isinstance(p.place, tuple)
    return ("list", p.parts[0], p.place[1] if in_record and isinstance(p.place, tuple) else None)


def _list_name(members: list[Parameter]) -> str:
    """What all of some numbers stand in: `self.weights[0]` for self.weights[0][1] and self.weights[0][2]."""
    first, *rest = (p.parts for p in members)
    common = min((_alike(first, parts) for parts in rest), default=len(first))
    name = members[0].name
    for _ in members[0].parts[max(common, 1) :]:
        name = name.rpartition("[")[0] or name
    return name


def _alike(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """How many parts two paths have in common."""
    return next((k for k, (p, q) in enumerate(zip(a, b, strict=False)) if p != q), min(len(a), len(b)))


def _hold(name: str, ready: list[tuple[Parameter, Gradient]], replay: Replay) -> Held | None:
    nodes, terms = [], []
    for p, g in ready:
        shape = np.shape(replay.tape.nodes[p.origin].value)
        try:
            for t in g.terms:
                shaped(replay.tape.nodes[t.node].value, shape)
        except ValueError:
            return None
        nodes.append(replay.canonical[p.origin])
        terms.append(g.terms)
    first = ready[0][1]
    claim = Claim(Tensor(name, tuple(nodes)), tuple(terms))
    coefficient = float(np.prod([abs(v) for v, _ in first.factors])) if first.factors or first.named else None
    data, penalties = split(replay, claim)
    decays = any(p.decays for p, _ in ready)
    after = tuple(replay.canonical[p.last] for p, _ in ready if p.last is not None)
    divisors = tuple(f for f in first.factors if not is_learning_rate(f[1]))
    at = first.name, first.site
    found = Held(claim, *at, "parameter", first.factors, divisors, coefficient, data, penalties, decays, after=after)
    by_company = next((p for p, _ in ready if p.evidence != "update"), None)
    if by_company is None or by_company.update is None:
        return found
    return replace(found, evidence=by_company.evidence, update=by_company.update)
