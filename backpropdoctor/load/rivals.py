"""A script's own loss beside the standard one that its gradients fit: what to make of it when no gradient is that of its own.

Many right programs print another number than the one they train on: a squared error beside a cross-entropy's gradients, a
score against other data. What a script calls its loss is held against its gradients all the same where the two compare
the output with different data, or where it is no mere distance of the output from the target; and where the backward
pass is named after it. An edit that makes all gradients those of the own loss has to prove it then.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import ReplayError
from ..tape.adjoint import Line, Tensor, proportion
from ..tape.replay import Replay
from ..tape.training import LossFound, Rival, Training
from .conventions import is_loss_name, plain_word
from .losses import Output

_ERROR = re.compile(
    r"(?:^|_)(?:r?mse|sse|mae|err|errs|errors?|errores?|erros?|erreurs?|fehler|hata|hatalar|blad|wucha|gosa|oshibka)(?:_|\d|$)",
    re.IGNORECASE,
)
_HELD_OUT = re.compile(r"(?:^|_)(?:val|valid|validation|test|eval|dev)(?:_|\d|$)", re.IGNORECASE)
_NAMED_AFTER = re.compile(
    r"^_*(?:(?:grad(?:ient)?|deriv(?:ative)?|d|delta|back(?:ward)?)_?(?:of_?)?)?(?P<name>\w+?)"
    r"(?:_?(?:prime|grad(?:ient)?|deriv(?:ative)?|delta|back(?:ward)?|dash))?$",
    re.IGNORECASE,
)
_BY = re.compile(r"^d_?(?P<name>J|L|C|E|loss|cost)_?_?d_?\w+$")

_PARTS = (
    "getitem",
    "reshape",
    "transpose",
    "T",
    "swapaxes",
    "ravel",
    "flatten",
    "squeeze",
    "take",
    "atleast_2d",
    "copy",
    "array",
)


def rival_of(training: Training, named: Sequence[LossFound], outputs: Sequence[Output]) -> Rival | None:
    """The own loss, one of `named`, that the gradients of a standard loss at `outputs` are not those of; None for none."""
    looked_at = next((loss for loss in named if is_loss_name(_word(loss))), None)
    own = next((loss for loss in named if is_objective_name(loss)), looked_at)
    if own is None:
        return None
    if _HELD_OUT.search(_word(own)):
        return Rival(own, "none")
    origins = training.origins
    data = _compared(training.replay, own, outputs, origins)
    kind = _difference(training.replay, data, outputs)
    if kind == "target" and not all(_is_plain(training.replay, o) for o in outputs):
        kind = "none"  # a target that is computed may be what is meant: soft labels, a teacher, a bootstrap
    elif not is_objective_name(own):
        kind = kind if kind == "target" and _is_same_distance(training, own, outputs, data) else "none"
    elif kind == "form":
        proper = not is_distance(training, own, outputs) or _is_named_after(training, own, outputs)
        kind = "form" if proper else "none"
    return Rival(own, kind)


def rival_of_part(
    training: Training, parts: Sequence[LossFound], implied: LossFound, outputs: Sequence[Output]
) -> tuple[Rival | None, LossFound | None]:
    """The own loss asked for the data of one step: where it is another function of the output than a standard one, else.

    What it holds besides, such as a penalty that is shared by all data, may be meant in another proportion there.
    """
    rival = rival_of(training, parts, outputs)
    if rival is None or rival.kind != "form":
        return None, None
    tensor = Tensor("", tuple(o.node for o in outputs))
    pairs = []
    for number in (0, 1):
        slopes = [training.adjoints.slope(tensor, loss.objective, number) for loss in (rival.loss, implied)]
        if any(s is None for s in slopes):
            return None, None
        pairs.append(tuple(x for s in slopes if s is not None for x in (s.value, s.error)))
    return (rival, None) if proportion(pairs).value is None else (None, rival.loss)  # type: ignore[arg-type]


def is_of_part(replay: Replay, loss: LossFound) -> bool:
    """Whether a loss was asked for a part of the data, which the script itself never does."""
    scopes = replay.tape.scopes
    scope = scopes.get(replay.tape.nodes[loss.objective.nodes[0]].scope)
    while scope is not None:
        if scope.call is not None and getattr(scope.call.node, "of_part", False):
            return True
        scope = scopes.get(scope.parent) if scope.parent is not None else None
    return False


def is_objective_name(loss: LossFound) -> bool:
    """Whether a scalar is called a loss that is minimised, and not an error that is looked at."""
    return is_loss_name(_word(loss)) and not _ERROR.search(_word(loss)) and not _HELD_OUT.search(_word(loss))


def _word(loss: LossFound) -> str:
    return plain_word(loss.name)


def _compared(replay: Replay, own: LossFound, outputs: Sequence[Output], origins: Collection[int]) -> list[int]:
    """What a loss reads beside the output: the values that do not depend on the parameters."""
    live = replay.downstream(origins)
    inside = replay.upstream([o.node for o in outputs], barrier=origins)
    least = min(np.size(o.target) for o in outputs)  # a number among arrays is a factor, a total: no target
    found: dict[int, None] = {}
    for i in sorted(own.nodes - inside):
        if i in live:
            read = (j for j in replay.inputs(i) if j not in live and j not in inside)
            found |= {_bare(replay, j): None for j in read if least == 1 or np.size(replay.base(j)) > 1}
    return list(found)


def _bare(replay: Replay, j: int) -> int:
    """What is read where its negative, or what it leaves of a number, is: `y` of `-y` and `1 - y`."""
    while replay.tape.nodes[j].name in ("neg", "negative", "sub", "subtract"):
        inputs = [i for i in replay.inputs(j) if np.size(replay.base(i)) > 1]
        if len(inputs) != 1 or np.shape(replay.base(inputs[0])) != np.shape(replay.base(j)):
            break
        j = inputs[0]
    return j


def _difference(replay: Replay, data: Sequence[int], outputs: Sequence[Output]) -> Any:
    """'form' where the own loss reads the targets, 'target' where it reads other data in their place, else 'none'."""
    values = [np.asarray(replay.base(j)) for j in data]
    same = [any(_equal(v, o.target) for v in values) for o in outputs]
    if all(same) or (not data and all(_is_plain(replay, o) for o in outputs)):
        return "form"
    if any(same) or not data:
        return "none"
    for output in outputs:
        spread = all(np.size(replay.base(j)) < np.size(output.target) for j in output.sources)
        whole = any(np.size(v) == np.size(output.target) > 1 for v in values)
        if _is_plain(replay, output) and any(_is_rearranged(v, output.target) for v in values):
            continue  # transposed, or in another order: nobody means that
        if not (spread and whole) and _is_related(replay, output.sources, data):
            return "form" if _is_encoded(output, values) else "none"
    return "target"


def _equal(value: np.ndarray, target: Any) -> bool:
    return value.size == np.size(target) and bool(np.array_equal(np.ravel(value), np.ravel(target)))


def _is_rearranged(value: np.ndarray, target: Any) -> bool:
    """Whether a target has the numbers of another value at other places."""
    same = value.size == np.size(target) and np.array_equal(np.sort(np.ravel(value)), np.sort(np.ravel(target)))
    return same and not np.array_equal(np.ravel(value), np.ravel(target))


def _is_encoded(output: Output, values: Sequence[np.ndarray]) -> bool:
    """Whether a target is the one-hot form of class numbers that the loss reads."""
    target = np.asarray(output.target)
    if target.ndim == 0 or not np.all((target == 0) | (target == 1)):
        return False
    for axis in range(target.ndim):
        classes = target.argmax(axis=axis)
        if np.all(target.sum(axis=axis) == 1) and any(_equal(v, classes) for v in values):
            return True
    return False


def _is_related(replay: Replay, sources: Collection[int], data: Collection[int]) -> bool:
    """Whether a target is made of what the loss reads or that of it, or both of an equal value."""
    behind = {i for i in replay.upstream(sources) if np.size(replay.base(i)) > 1}
    others = set(data) | {i for i in replay.upstream(data) if np.size(replay.base(i)) > 1 and i in sources}
    if behind & others:
        return True
    values = [np.asarray(replay.base(j)) for j in data if np.size(replay.base(j)) > 1]
    return any(_equal(v, replay.base(i)) for v in values for i in behind)


def _is_plain(replay: Replay, output: Output) -> bool:
    """Whether a target is data as it is, or a part of it."""
    for i in replay.upstream(output.sources):
        node = replay.tape.nodes[i]
        name = node.name
        if node.kind == "op" and name not in _PARTS:
            return False
    return True


def is_distance(training: Training, own: LossFound, outputs: Sequence[Output]) -> bool:
    """Whether a loss is a squared distance of the output from the target, as its adjoint there tells.

    Where the output is one number any adjoint is parallel to that: there its values on the way to the target tell.
    """
    tensor = Tensor("", tuple(o.node for o in outputs))
    off = [np.asarray(training.replay.base(o.node), dtype=float) - o.target for o in outputs]
    if sum(o.size for o in off) == 1:
        return _is_square(training.replay.line({o.node: d for o, d in zip(outputs, off, strict=True)}, own.objective))
    pairs = []
    for number in (0, 1):
        slope = training.adjoints.slope(tensor, own.objective, number)
        if slope is None:
            return True
        along = [training.adjoints.direction(o.node, number) for o in outputs]
        mine = float(sum(np.sum(a * b) for a, b in zip(off, along, strict=True)))
        pairs.append((mine, 1e-13 * abs(mine), slope.value, slope.error))
    found = proportion(pairs)
    return bool(found.value) and not found.zero


def _is_square(phi: Line) -> bool:
    """Whether a function is c + k (1 + t)^2: then it rises by 3/4 k from t = -1/2 to 0, and by 5/4 k from there to 1/2."""
    try:
        low, middle, high = (complex(phi(t)).real for t in (-0.5, 0.0, 0.5))
    except ReplayError:
        return True
    return abs(3 * (high - middle) - 5 * (middle - low)) <= 1e-9 * (abs(high - middle) + abs(middle - low))


def _is_same_distance(training: Training, own: LossFound, outputs: Sequence[Output], data: Sequence[int]) -> bool:
    """Whether an error that is looked at is a squared distance of the very output from other data, and the target is input.

    Errors have any form and unit, and may be taken against cleaner data than is trained with; but what brings the output
    close to what the model is fed with does not mean an error against something else.
    """
    if len(outputs) != 1 or not _is_fed_in(training, outputs[0]):
        return False
    size = np.size(outputs[0].target)
    values = [np.reshape(v, np.shape(outputs[0].target)) for j in data if np.size(v := training.replay.base(j)) == size]
    return any(is_distance(training, own, [replace(outputs[0], target=v)]) for v in values)


def _is_fed_in(training: Training, output: Output) -> bool:
    """Whether a target is what the output is computed from, or a part of it."""
    replay = training.replay
    read = replay.upstream([output.node], barrier=training.origins)
    behind = replay.upstream(output.sources)
    return any(np.size(replay.base(i)) > 1 for i in read & behind)


def _is_named_after(training: Training, own: LossFound, outputs: Sequence[Output]) -> bool:
    """Whether the script's names say that the gradients are those of its own loss: `dJdW1` and `J`, `cost_prime` and `cost`."""
    called = {own.name.split(".")[-1].lower()}
    if own.site is not None:
        called.add(own.site.function.split(".")[-1].lower())
    for held in training.parameters:
        by = _BY.match(held.name.split(".")[-1].split("[")[0])
        if by and by["name"].lower() in called:
            return True
    nodes = training.replay.tape.nodes
    sites = [o.site for o in outputs] + [nodes[h.node].site for h in training.parameters]
    for function in {s.function.split(".")[-1].lower() for s in sites if s is not None}:
        after = _NAMED_AFTER.match(function)
        if after and after["name"] != function and after["name"].strip("_") in called:
            return True
    return False
