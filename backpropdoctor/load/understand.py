"""From a tape to a training step that can be checked: parameters with their gradients, and the loss they belong to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from ..tape.adjoint import Adjoints, Claim, Tensor, shaped
from ..tape.replay import Objective, Replay
from ..tape.steps import Steps, Term
from ..tape.tape import Binding, Node, Tape
from ..tape.training import Held, LossFound, Training
from .behind import Gradient
from .conventions import is_gradient_name, is_gradient_of, is_loss_name
from .losses import implied_losses, named_losses
from .naming import told_apart
from .parameters import Parameter, Parameters

_MOST_LOSSES = 8  # candidates that are measured; the list is sorted by likelihood


@dataclass(slots=True)
class Recorded:
    """What a tape holds: its training steps without their loss, and where one step ends and the next begins."""

    replay: Replay
    trainings: list[Training]
    borders: set[int]
    totals: set[int]


def recorded_steps(tape: Tape, params: Sequence[str] = (), namespace: Mapping[str, Any] | None = None) -> Recorded:
    """The training steps on a tape, in order. `params` are names that a person declared; `namespace` helps with names."""
    replay = Replay(tape)
    adjoints = Adjoints(replay)
    steps = Steps(replay)
    parameters = Parameters(steps)
    borders = parameters.updated.borders
    replay.borders = frozenset(borders)
    found = []
    for number, members in enumerate(list(parameters.by_step) or by_names(parameters)):
        chosen = [p for p in members if not params or any(q in (p.name, p.parts[-1]) for q in params)]
        training = Training(replay, adjoints, number, None)
        training.parameters = list(_held(chosen, replay, training.unpaired, namespace or {}))
        if training.parameters or training.unpaired:
            found.append(training)
    return Recorded(replay, found, borders, set(_totals(steps, parameters, borders)))


def understand(recorded: Recorded, *, loss: str | None = None) -> Iterator[Training]:
    """The recorded training steps with their loss, the one best suited for a check first.

    Steps whose loss the script computes come before steps whose loss is implied. `loss` is a name that a person declared.
    """
    found = list(recorded.trainings)
    most = max((len(t.parameters) for t in found), default=0)
    found.sort(key=lambda t: (len(t.parameters) < most, abs(t.step - 1)))
    later = []
    for training in found:
        training.loss = choose_loss(training, loss, recorded.borders, recorded.totals)
        if training.loss is not None and training.loss.source != "implied":
            yield training
        else:
            later.append(training)
    yield from sorted(later, key=lambda t: t.loss is None)


def _totals(steps: Steps, parameters: Parameters, borders: set[int]) -> Iterator[int]:
    """The running sums and averages: numbers that mix the losses of several steps."""
    canon = steps.replay.canonical
    step_of = {canon[p.origin]: k for k, members in enumerate(parameters.by_step) for p in members}

    def reached(i: int) -> set[int]:
        found = steps.replay.upstream([i], barrier=(borders | set(step_of)) - {i})
        return {step_of[j] for j in found if j in step_of}

    for i, update in steps.by_new.items():
        if i in borders or np.size(steps.tape.nodes[i].value) != 1:
            continue
        before, after = reached(canon[update.old]), reached(i)
        if update.self_factor != 1.0 or (before and after and max(before) < max(after)):
            yield i


def _held(parameters: list[Parameter], replay: Replay, unpaired: list[str], namespace: Mapping[str, Any]) -> Iterator[Held]:
    groups = list(_grouped(parameters, replay))
    names = [m[0].name if len(m) == 1 else str(m[0].parts[0]) for m in groups]
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
        groups[("list", p.parts[0]) if in_list else (p.place, p.origin)].append(p)
    yield from groups.values()


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
    return Held(claim, first.name, first.site, "parameter", first.factors, coefficient)


# ---- by names --------------------------------------------------------------------------------------------------------


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


# ---- the loss --------------------------------------------------------------------------------------------------------


def choose_loss(
    training: Training, declared: str | None, borders: Collection[int], totals: Collection[int] = ()
) -> LossFound | None:
    """The loss that the gradients belong to: the likeliest named one that any gradient fits, else an implied one."""
    replay, held = training.replay, training.parameters
    origins = [i for h in held for i in h.tensor.nodes]
    gradients = [i for h in held for i in h.claim.gradient_nodes]
    if not origins:
        return None
    readers = _first_readers(replay, gradients, origins)
    candidates = named_losses(replay, origins, borders, totals, replay.upstream(gradients), declared, _slots(held))
    named = list(
        islice(
            (
                loss
                for loss in candidates
                if declared or (not _is_residual(replay, loss) and readers <= loss.nodes and _covers(loss, origins, replay))
            ),
            _MOST_LOSSES,
        )
    )
    if declared is not None:
        return named[0] if named else None
    fitting = next((loss for loss in named if _named_as_loss(loss) and score(training, loss)[0] > 0), None)
    if fitting is None:
        others = [(score(training, loss), -k, loss) for k, loss in enumerate(named) if not _named_as_loss(loss)]
        top, _, fitting = max(others, default=((0, 0, 0), 0, None), key=lambda o: o[:2])
        fitting = fitting if top[0] > 0 else None
    if fitting is not None:
        return fitting
    implied = [(score(training, loss), loss) for loss in implied_losses(replay, gradients, origins)]
    last = _output_parameter(training)
    unfit = [loss for s, loss in implied if s[0] == 0 or (last is not None and not _fits_one(training, loss, last))]
    implied += [(score(training, loss), loss) for loss in _with_decay(training, unfit)]
    fits_last = {id(loss): s[0] > 0 and last is not None and _fits_one(training, loss, last) for s, loss in implied}
    best = max(implied, default=None, key=lambda s: (fits_last[id(s[1])], s[0]))
    if best is not None and best[0][0] > 0:
        return best[1]
    return next((loss for loss in named if _named_as_loss(loss)), None)


def _named_as_loss(loss: LossFound) -> bool:
    return is_loss_name(loss.name.split(".")[-1].split("[")[0])


def _is_residual(replay: Replay, loss: LossFound) -> bool:
    """Whether a number called an error is a mere difference, with a sign, or no smooth function of the output."""
    node = replay.tape.nodes[loss.objective.nodes[0]]
    return _operation_name(node) in ("sub", "isub", "subtract") or _has_abs(replay, node.index)


def _operation_name(node: Node) -> str:
    return getattr(node.op, "__name__", "")


_REDUCTIONS = ("mean", "sum", "item", "float", "squeeze", "average", "median", "round", "getitem")


def _has_abs(replay: Replay, index: int) -> bool:
    """Whether a number is a mean or sum of absolute values: a metric. |x| inside a stable formula makes no metric."""
    name = _operation_name(replay.tape.nodes[index])
    while name in _REDUCTIONS and replay.inputs(index):
        index = replay.inputs(index)[0]
        name = _operation_name(replay.tape.nodes[index])
    return name in ("abs", "absolute", "fabs")


def _covers(loss: LossFound, origins: Sequence[int], replay: Replay) -> bool:
    return sum(replay.canonical[o] in loss.nodes for o in origins) * 2 >= len(origins)


def score(training: Training, loss: LossFound) -> tuple[int, int, int]:
    """How many gradients are parallel to those of this loss (numbers count where they share a ratio), equal, and along."""
    parallel = right = along = 0
    numbers: list[float] = []
    for held in training.parameters:
        ratio = training.adjoints.ratio(held.claim, loss.objective)
        if ratio is None or ratio.zero or not ratio.value:
            continue
        right += ratio.right
        along += ratio.value > 0
        if ratio.right or _size(training, held) > 1:
            parallel += 1
        else:
            numbers.append(ratio.value)
    shared = (sum(abs(a - b) <= 1e-6 * abs(b) for a in numbers) for b in numbers)
    return parallel + max((n for n in shared if n > 1), default=0), right, along


def _fits_one(training: Training, loss: LossFound, held: Held) -> bool:
    ratio = training.adjoints.ratio(held.claim, loss.objective)
    return ratio is not None and bool(ratio.value) and not ratio.zero


def _output_parameter(training: Training) -> Held | None:
    """The parameter that the forward pass reads last: the output layer's."""
    consumers = training.replay.consumers

    def first_read(held: Held) -> int:
        return min((i for node in held.tensor.nodes for i in consumers.get(node, ())), default=-1)

    several = [h for h in training.parameters if _size(training, h) > 1]
    return max(several, key=first_read, default=None)


def _with_decay(training: Training, losses: Sequence[LossFound]) -> Iterator[LossFound]:
    """Implied losses with the weight decay that makes the output layer's gradient fit: loss + b/2 |W|^2.

    The gradient of the output layer is a * (that of the loss) + b * W; a and b come from two directions and must hold on
    a third. The decay is then that of every weight whose gradient it fits.
    """
    last = _output_parameter(training)
    if last is None or len(last.tensor.nodes) != 1:
        return
    for loss in losses:
        fit = _decay_of(training, loss, last)
        if fit is None:
            continue
        scale, decay = fit
        weights = [h.tensor.nodes[0] for h in training.parameters if len(h.tensor.nodes) == 1]
        kept = [w for h, w in zip(training.parameters, weights, strict=False) if _decays(training, loss, h, scale, decay)]
        yield _decayed(training, loss, kept or [last.tensor.nodes[0]], decay / scale)


def _decay_of(training: Training, loss: LossFound, held: Held) -> tuple[float, float] | None:
    rows, claims = [], []
    for number in (0, 1, 2):
        slope = training.adjoints.slope(held.tensor, loss.objective, number)
        if slope is None:
            return None
        u = training.adjoints.direction(held.tensor.nodes[0], number)
        rows.append((slope.value, float(np.sum(np.asarray(training.replay.base(held.tensor.nodes[0])) * u))))
        claims.append(training.adjoints.claimed(held.claim, number)[0])
    (a, b), *_ = np.linalg.lstsq(np.array(rows[:2]), np.array(claims[:2]), rcond=None)
    off = abs(a * rows[2][0] + b * rows[2][1] - claims[2])
    return (float(a), float(b)) if a > 0 and b > 0 and off <= 1e-7 * (abs(claims[2]) + abs(a * rows[2][0])) else None


def _decays(training: Training, loss: LossFound, held: Held, scale: float, decay: float) -> bool:
    fit = _decay_of(training, loss, held)
    return fit is not None and abs(fit[0] - scale) <= 1e-6 * scale and abs(fit[1] - decay) <= 1e-6 * decay


def _decayed(training: Training, loss: LossFound, weights: Sequence[int], factor: float) -> LossFound:
    inner = loss.objective
    split = len(inner.nodes)

    def combine(values: Sequence[Any]) -> Any:
        penalty = sum(np.sum(np.asarray(w) ** 2) for w in values[split:])
        return inner.combine(values[:split]) + factor / 2 * penalty

    objective = Objective((inner.key, "decay", tuple(weights)), (*inner.nodes, *weights), combine)
    value = float(np.real(combine([np.asarray(training.replay.base(n), dtype=float) for n in objective.nodes])))
    return replace(loss, objective=objective, name=f"{loss.name} with weight decay", value=value)


def _size(training: Training, held: Held) -> int:
    return sum(int(np.size(training.replay.tape.nodes[i].value)) for i in held.tensor.nodes)


def _first_readers(replay: Replay, gradients: Sequence[int], origins: Sequence[int]) -> set[int]:
    """Where the computation behind the gradients takes in data with a parameter: the start of the forward pass.

    A loss that the gradients may belong to depends on all of these; one over other data depends on none.
    """
    starts = {replay.canonical[o] for o in origins}
    live = replay.downstream(origins)
    found = set()
    for i in replay.upstream(gradients, barrier=starts):
        if i not in live:
            continue
        inputs = replay.inputs(i)
        data = [j for j in inputs if j not in live and np.size(replay.tape.nodes[j].value) > 1]
        if any(j in starts for j in inputs) and data and all(j in starts or j not in live for j in inputs):
            found.add(i)
    return found


def _slots(held: Sequence[Held]) -> set[str]:
    """The attributes and containers that gradients stand in: what else stands there is no loss."""
    found = set()
    for h in held:
        if "." in h.name:
            found.add(h.name.split(".")[-1].split("[")[0])
    return found
