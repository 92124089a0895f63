"""The loss of a training step: declared, named by the user, or the standard one that the output's delta implies."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..tape.algebra import DIV, SUB
from ..tape.replay import Objective, Replay
from ..tape.tape import Binding, Node, Ref, Site
from ..tape.training import LossFound
from .bootstrapped import Bootstrapped
from .conventions import is_cotangent_name, is_loss_name
from .seeds import is_loss_value

_TINY = 1e-300


class Scalars:
    """The numbers on a tape that may be a loss: those with a name, and those that nothing reads."""

    def __init__(self, replay: Replay) -> None:
        nodes = replay.tape.nodes
        self.named = [
            b
            for b in replay.tape.bindings
            if b.node is not None and is_loss_value(nodes[b.node]) and not _is_list(nodes[b.node])
        ]
        self.unread = [n for n in nodes if not replay.consumers.get(replay.canonical[n.index]) and is_loss_value(n)]


def named_losses(
    replay: Replay,
    origins: Sequence[int],
    borders: Collection[int],
    totals: Collection[int] = (),
    backward: Collection[int] = (),
    declared: str | None = None,
    slots: Collection[str] = (),
) -> Iterator[LossFound]:
    """The scalars that depend on the parameters, likeliest first: named as a loss, then named at all, then printed only.

    Of scalars that are constant multiples or sums of one another the last one made comes first: that is what the user
    calls the loss. `borders` are the values that updates made: what depends on the parameters through them belongs to a
    later step. `totals` are running sums and averages: what is added to them is the loss of a step. `backward` is what
    gradients are made of; in `slots` (the last words of their names) they stand.
    """
    canon = replay.canonical
    below = replay.downstream(origins)
    ranks: dict[int, tuple[int, str, Site | None]] = {}
    scalars = replay.once(Scalars)
    for b in scalars.named:
        if b.node is None or canon[b.node] not in below:
            continue
        rank = _rank(b, declared)
        if rank is not None and rank > 1 and str(b.parts[-1]) in slots and len(b.parts) > 1:
            rank = None
        if rank is not None and (canon[b.node] not in ranks or rank < ranks[canon[b.node]][0]):
            ranks[canon[b.node]] = (rank, b.name, b.site)
    if declared is None:
        for node in scalars.unread:
            i = canon[node.index]
            if i in below and i not in ranks:
                ranks[i] = (5, node.site.span.text if node.site else "a printed value", node.site)
    wanted = {canon[o] for o in origins}
    others = set(ranks)
    reached = _reached(replay, wanted, below, set(borders))
    ordered = []
    for i, (rank, name, site) in ranks.items():
        if i in borders or i in wanted or (rank > 0 and i in backward) or not reached.get(i):
            continue
        total = i in totals
        bent = _is_bent(replay, i, others) or total
        # a running sum over steps is taken as early as it depends on the parameters: later ones hold later steps
        key = (rank + 2 * bent, -reached[i].bit_count(), i if total else -i)
        ordered.append((key, i, name, site, rank == 0))
    for _, i, name, site, is_declared in sorted(ordered, key=lambda o: o[0]):
        nodes = frozenset(replay.upstream([i], barrier=(set(borders) | wanted) - {i}))
        yield _found(replay, i, name, site, nodes, is_declared and declared is not None)


def _is_list(node: Node) -> bool:
    """Whether a value is a list that grows, of one number so far: `errors = np.append(errors, e)`."""
    return node.name in ("append", "concatenate", "hstack", "vstack", "insert")


def _reached(replay: Replay, wanted: set[int], below: set[int], borders: set[int]) -> dict[int, int]:
    """Which of the `wanted` values each value below them depends on within its step, as the bits of a number."""
    found = {i: 1 << k for k, i in enumerate(sorted(wanted))}
    for i in sorted(below - wanted):
        mask = 0
        for j in replay.inputs(i):
            if j in wanted or j not in borders:
                mask |= found.get(j, 0)
        found[i] = mask
    return found


_STRAIGHT = (
    "mul",
    "truediv",
    "add",
    "sub",
    "neg",
    "float",
    "squeeze",
    "sum",
    "mean",
    "item",
    "multiply",
    "divide",
    "getitem",
)


def _is_bent(replay: Replay, i: int, others: set[int]) -> int:
    """Whether a scalar is a nonlinear function of another candidate: an RMSE of the MSE, a perplexity."""
    stack = replay.inputs(i)
    straight = replay.tape.nodes[i].name in _STRAIGHT
    return int(not straight and any(j in others for j in stack))


def _rank(binding: Binding, declared: str | None) -> int | None:
    words = [p for p in binding.parts if isinstance(p, str)] or [binding.name]
    if declared is not None:
        return 0 if declared in (binding.name, words[-1], *words) else None
    if any(is_loss_name(w) for w in words):
        return 1
    return 4 if is_cotangent_name(words[-1]) else 3


def _found(replay: Replay, node: int, name: str, site: Site | None, nodes: frozenset[int], declared: bool) -> LossFound:
    value = float(np.reshape(np.asarray(replay.base(node), dtype=float), ()))
    return LossFound(Objective.of_node(node), name, site, value, "declared" if declared else "found", nodes)


# ---- implied losses --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Output:
    """A place where the backward pass compares an output with its target: `node` holds the output, `target` the target.

    `sources` are the nodes that the target is read from; `held` those of them that the parameters move: a bootstrapped target.
    """

    node: int
    target: Any
    site: Site | None
    sources: tuple[int, ...] = ()
    held: tuple[int, ...] = ()


def _half_squared(o: Any, y: Any) -> Any:
    return np.sum((o - y) ** 2) / 2


def _binary(o: Any, y: Any) -> Any:
    with np.errstate(all="ignore"):
        first = np.where(y == 0, 0, y * np.log(o + (np.real(o) == 0) * _TINY))
        rest = 1 - o
        second = np.where(y == 1, 0, (1 - y) * np.log(rest + (np.real(rest) == 0) * _TINY))
    return -np.sum(first + second)


def _categorical(o: Any, y: Any) -> Any:
    with np.errstate(all="ignore"):
        return -np.sum(np.where(y == 0, 0, y * np.log(o + (np.real(o) == 0) * _TINY)))


def _is_probability(o: np.ndarray, y: np.ndarray) -> bool:
    return bool(np.all((o >= 0) & (o <= 1)) and np.all((y >= 0) & (y <= 1)))


def _is_distribution(o: np.ndarray, y: np.ndarray) -> bool:
    if not _is_probability(o, y) or o.size < 2:
        return False
    return any(np.allclose(np.sum(o, axis=k), 1, atol=1e-5) for k in range(o.ndim))


_STANDARD: tuple[tuple[str, Callable[[Any, Any], Any], Callable[[np.ndarray, np.ndarray], bool]], ...] = (
    ("softmax cross-entropy", _categorical, _is_distribution),
    ("binary cross-entropy", _binary, _is_probability),
    ("half the squared error", _half_squared, lambda o, y: True),
)


def implied_losses(replay: Replay, gradients: Sequence[int], origins: Sequence[int]) -> list[tuple[LossFound, list[Output]]]:
    """The standard losses at the places where the backward pass compares the output with its target, and these places.

    A sum over everything that is compared there; the mean differs by a factor only, which the check reports apart.
    """
    outputs = list(find_outputs(replay, gradients, origins))
    found = []
    for group in _by_site(outputs):
        pairs = [(np.asarray(replay.base(o.node), dtype=float), np.asarray(o.target, dtype=float)) for o in group]
        for name, function, fits in _STANDARD:
            if all(fits(o, y) for o, y in pairs):
                found.append((_implied(replay, group, [y for _, y in pairs], name, function), group))
    return found


def _implied(
    replay: Replay, group: list[Output], targets: list[np.ndarray], name: str, function: Callable[[Any, Any], Any]
) -> LossFound:
    nodes = tuple(o.node for o in group)

    def combine(values: Sequence[Any]) -> Any:
        return sum(function(np.asarray(v), y) for v, y in zip(values, targets, strict=True))

    objective = Objective(("implied", name, nodes), nodes, combine)
    value = float(np.real(combine([np.asarray(replay.base(n), dtype=float) for n in nodes])))
    behind = replay.upstream([*nodes, *(i for o in group for i in o.held)])
    return LossFound(objective, name, group[0].site, value, "implied", frozenset(behind))


def _by_site(outputs: list[Output]) -> list[list[Output]]:
    groups: dict[Any, list[Output]] = {}
    for output in outputs:
        groups.setdefault(output.site.id if output.site else None, []).append(output)
    return list(groups.values())


def find_outputs(replay: Replay, gradients: Sequence[int], origins: Sequence[int]) -> Iterator[Output]:
    """Where the backward pass first compares a value that depends on the parameters with one that does not."""
    starts = {replay.canonical[o] for o in origins}
    bootstrapped = Bootstrapped(replay, starts)
    live = bootstrapped.live
    region = sorted(replay.upstream(gradients, barrier=starts))
    compared: set[int] = set()
    seen: set[int] = set()
    for i in region:
        if i not in live or any(j in compared for j in replay.inputs(i)):
            if any(j in compared for j in replay.inputs(i)):
                compared.add(i)
            continue
        output = _comparison(replay, replay.tape.nodes[i], bootstrapped)
        if output is not None and output.node not in seen:
            seen.add(output.node)
            compared.add(i)
            yield output


def _comparison(replay: Replay, node: Node, bootstrapped: Bootstrapped) -> Output | None:
    canon, live = replay.canonical, bootstrapped.live
    if node.kind == "op" and len(node.args) == 2 and (node.op in SUB or node.op in DIV):
        left, right = node.args
        inside = [isinstance(a, Ref) and canon[a.index] in live for a in (left, right)]
        if all(inside) and node.op in SUB:
            inside = [not bootstrapped.is_target(node.index, a.index) for a in (left, right)]
        if inside[0] == inside[1] or _is_literal(node, 1 if inside[0] else 0):
            return None
        output, target = (left, right) if inside[0] else (right, left)
        if node.op in DIV and inside[0]:
            return None
        o = np.asarray(replay.base(output.index))
        y = np.asarray(replay.base(target.index) if isinstance(target, Ref) else target)
        if o.dtype.kind == "f" and y.dtype.kind in "fiub" and _fits(o, y) and not _is_constant(y):
            wanted = np.broadcast_to(y, o.shape) if y.size != o.size else y.reshape(o.shape)
            sources = (canon[target.index],) if isinstance(target, Ref) else ()
            return Output(canon[output.index], wanted, node.site, sources, tuple(i for i in sources if i in live))
    if node.kind == "write" and canon[node.args[0].index] in live:
        old = np.asarray(replay.base(node.args[0].index), dtype=float)
        target = old - np.asarray(replay.base(node.index), dtype=float)
        if np.all(np.isclose(target, 0) | np.isclose(target, 1)) and np.any(np.isclose(target, 1)) and target.size > 1:
            keys = tuple(canon[j] for j in node.inputs() if j != node.args[0].index)
            return Output(canon[node.args[0].index], np.round(target), node.site, keys)
    return None


def _is_literal(node: Node, operand: int) -> bool:
    """Whether an operand is a number written in the program, as in 1 - a."""
    tree = node.site.node if node.site else None
    sides = (tree.left, tree.right) if isinstance(tree, ast.BinOp) else ()
    if sides:
        return isinstance(sides[operand], ast.Constant)
    return not isinstance(node.args[operand], Ref) and np.ndim(node.args[operand]) == 0


def _fits(o: np.ndarray, y: np.ndarray) -> bool:
    return o.shape == y.shape or (o.size == y.size and o.size > 0) or (o.ndim > 0 and y.ndim > 0 and o.size > 1 and y.size > 1
        and np.broadcast(o, y).shape == o.shape if _broadcasts(o, y) else False)  # fmt: skip


def _broadcasts(o: np.ndarray, y: np.ndarray) -> bool:
    try:
        np.broadcast_shapes(o.shape, y.shape)
    except ValueError:
        return False
    return True


def _is_constant(y: np.ndarray) -> bool:
    return y.size > 1 and bool(np.all(y == y.flat[0])) and y.flat[0] in (1.0,)
