"""Numbers called an error that are no loss: the mere difference of an output and its target, a mean of absolute values."""

from __future__ import annotations

from collections.abc import Collection

from ..tape.replay import Replay
from ..tape.tape import Ref
from ..tape.training import LossFound

_REDUCTIONS = ("mean", "sum", "item", "float", "squeeze", "average", "median", "round", "getitem")
_TERMS = (*_REDUCTIONS, "neg", "negative", "mul", "multiply", "truediv", "divide", "add", "sub", "iadd", "isub")
_SUMS = ("add", "iadd")
_LOGS = ("log", "log1p", "log2", "log10", "logaddexp", "logsumexp")


def is_residual(replay: Replay, loss: LossFound, live: Collection[int]) -> bool:
    """Whether a number called an error is a mere difference, with a sign, or no smooth function of the output.

    A difference of two means is neither (a discriminator's loss over real and made data), nor is one of logarithms:
    `loss -= log(p)`, `-y * log(p) - (1 - y) * log(1 - p)`, `log(sum(exp(z))) - z[y]`. `live` depends on the parameters.
    """
    node = replay.tape.nodes[loss.objective.nodes[0]]
    if node.name not in ("sub", "isub", "subtract"):
        return _has_abs(replay, node.index)
    sides = [(replay.base(a.index), replay.canonical[a.index]) if isinstance(a, Ref) else (a, None) for a in node.args]
    logs = [i is not None and _has_log(replay, i) for _, i in sides]
    if any(logs):
        return not all(log or i in live or not value for log, (value, i) in zip(logs, sides, strict=True))
    inputs = replay.inputs(node.index)
    return not all(_is_mean(replay, i) for i in inputs) or len(inputs) < 2


def _has_log(replay: Replay, index: int) -> bool:
    """Whether a number is a sum of multiples of logarithms and others."""
    stack, seen = [index], set()
    while stack:
        i = stack.pop()
        name = replay.tape.nodes[i].name
        if name in _LOGS:
            return True
        if name in _TERMS and i not in seen:
            seen.add(i)
            stack.extend(replay.inputs(i))
    return False


def _is_mean(replay: Replay, index: int) -> bool:
    while replay.tape.nodes[index].name in ("neg", "negative", "float"):
        index = replay.inputs(index)[0]
    return replay.tape.nodes[index].name in ("mean", "average")


def _has_abs(replay: Replay, index: int) -> bool:
    """Whether a number is a mean or sum of absolute values: a metric. |x| inside a stable formula makes no metric."""
    stack, seen = [index], {index}
    while stack:
        i = stack.pop()
        name, inputs = replay.tape.nodes[i].name, replay.inputs(i)
        if name in _SUMS or name in _REDUCTIONS and inputs:  # of a running sum all that is added, of a mean what it is of
            inside = set(inputs if name in _SUMS else inputs[:1]) - seen
            stack.extend(inside)
            seen |= inside
        elif name not in ("abs", "absolute", "fabs"):
            return False
    return True
