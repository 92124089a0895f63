"""Where a backward pass begins: the gradient of the loss by itself, which is one, says which scalar the loss is.

`loss.backward()` sets `self.grad = 1.0`, or `total.adj = 1.0` stands in the script: the object whose gradient is one
before any other holds the loss in its other attribute. Several of them in one step are added up, as their gradients are.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..tape.replay import Objective, Replay
from ..tape.tape import Binding, Node, Ref, Site
from ..tape.training import LossFound, Training


@dataclass(frozen=True, slots=True)
class Seed:
    """The node of a one that a backward pass begins with, the scalar whose gradient it is, and what that is called."""

    node: int
    loss: int
    name: str
    site: Site | None


def seeded_loss(training: Training, borders: Collection[int]) -> LossFound | None:
    """The loss at which the backward pass of a step begins, or the sum of several; None where no such place is known."""
    replay = training.replay
    origins = training.origins
    live = replay.downstream(origins)
    gradients = {replay.canonical[i] for h in training.parameters for i in h.claim.gradient_nodes}
    begun = seeds(replay, live, _slots(replay, gradients))
    mine = [s for s in begun if s.loss not in origins and _depends(replay, s.loss, origins, set(borders))]
    behind = replay.upstream(gradients, barrier=origins)
    used = [s for s in mine if replay.canonical[s.node] in behind] or (mine if len(mine) == 1 else [])
    used = list({s.loss: s for s in used}.values())
    if not used:
        return None
    nodes = tuple(s.loss for s in used)
    objective = Objective.of_node(nodes[0]) if len(nodes) == 1 else Objective(("seeded", nodes), nodes, _added)
    value = float(np.real(_added([replay.base(i) for i in nodes])))
    name = used[0].name if len({s.name for s in used}) == 1 else "the sum of what is backpropagated"
    barrier = (set(borders) | origins) - set(nodes)
    return LossFound(objective, name, used[0].site, value, "found", frozenset(replay.upstream(nodes, barrier)), sure=True)


def _slots(replay: Replay, gradients: Collection[int]) -> set[str]:
    """The attributes in which gradients stand."""
    found = set()
    for b in replay.tape.bindings:
        slot = _owner(b)
        if slot is not None and b.node is not None and replay.canonical[b.node] in gradients:
            found.add(slot[1])
    return found


def _added(values: Sequence[Any]) -> Any:
    return sum(np.sum(np.asarray(v)) for v in values)


def _depends(replay: Replay, node: int, origins: set[int], borders: set[int]) -> bool:
    """Whether a scalar depends on these versions of the parameters, and not through an update of them."""
    return bool(replay.upstream([node], barrier=(borders - origins) | origins) & origins)


def seeds(replay: Replay, live: Collection[int], slots: Collection[str]) -> list[Seed]:
    """The ones that backward passes begin with, in order: in `slots` stand the gradients, `live` depends on parameters."""
    if not slots:
        return []
    values = _scalars(replay, live)
    found = []
    known: set[int] = set()
    for b in replay.tape.bindings:
        slot = _owner(b)
        if slot is None or b.node is None or slot[1] not in slots:
            continue
        node = replay.canonical[b.node]
        if node in live or node in known or not _is_one(replay.tape.nodes[node]) or replay.upstream([node]) & known:
            continue
        loss = _before(values.get(slot[0], ()), b.at) or _made_like(replay, node, live)
        if loss is not None:
            known.add(node)
            found.append(Seed(node, loss, _name(replay, b), replay.tape.nodes[loss].site))
    return found


def _owner(binding: Binding) -> tuple[int, str] | None:
    """The object and the attribute that got a value."""
    place = binding.place
    if isinstance(place, tuple) and len(place) == 3 and place[0] == "attr":
        return place[1], str(place[2])
    return None


def _scalars(replay: Replay, live: Collection[int]) -> dict[int, list[tuple[int, int]]]:
    """The scalars that depend on the parameters, by the object in whose attribute they stand, with when they got there."""
    found: dict[int, list[tuple[int, int]]] = {}
    for b in replay.tape.bindings:
        slot = _owner(b)
        if slot is not None and b.node is not None and replay.canonical[b.node] in live and b.how != "read":
            node = replay.canonical[b.node]
            if is_loss_value(replay.tape.nodes[node]):
                found.setdefault(slot[0], []).append((b.at, node))
    return found


def _before(scalars: Sequence[tuple[int, int]], at: int) -> int | None:
    """The last of the scalars that stood there before."""
    return max((s for s in scalars if s[0] <= at), default=(0, None))[1]


def _made_like(replay: Replay, node: int, live: Collection[int]) -> int | None:
    """The scalar of which a one has the shape: `np.ones_like(self.data)`."""
    made = replay.tape.nodes[node]
    if made.name != "ones_like" or not made.args or not isinstance(made.args[0], Ref):
        return None
    value = replay.canonical[made.args[0].index]
    return value if value in live and is_loss_value(replay.tape.nodes[value]) else None


def _name(replay: Replay, binding: Binding) -> str:
    """What the object of an attribute is called, by the caller of its method where that is `self`."""
    scope = replay.tape.scopes.get(binding.scope)
    call = scope.call.node if scope is not None and scope.call is not None else None
    owner = binding.name.rpartition(".")[0]
    if owner in ("self", "this") and isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
        return ast.unparse(call.func.value)
    return owner or binding.name


def _is_one(node: Node) -> bool:
    value = node.value
    if not isinstance(value, (np.ndarray, np.generic, float)):
        return False
    return np.size(value) == 1 and bool(np.all(np.asarray(value) == 1))


def is_loss_value(node: Node) -> bool:
    """Whether a node holds one finite number in floating point."""
    value = node.value
    if isinstance(value, (np.ndarray, np.generic)):
        return value.size == 1 and value.dtype.kind == "f" and bool(np.isfinite(value).all())
    return type(value) is float and bool(np.isfinite(value))
