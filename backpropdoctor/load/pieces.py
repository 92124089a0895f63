"""A vector of all parameters is as many parameters as the forward pass reads slices of it."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..tape.adjoint import shaped
from ..tape.replay import Replay
from ..tape.training import Held, LossFound, Training

_SAME = 1e-6  # what the numbers of one slice may differ by, beside the largest


def fits_in_part(training: Training, loss: LossFound) -> bool:
    """Whether the gradient of any slice of a vector is that of this loss, where that of the whole is not."""
    return any(_fits(claim, truth) for held in training.parameters for claim, truth in _pieces(training, loss, held))


def _pieces(training: Training, loss: LossFound, held: Held) -> Iterator[tuple[Any, Any]]:
    """For each slice that is read of a vector the gradient that the code holds, and that of the loss."""
    replay = training.replay
    for node, terms in zip(held.tensor.nodes, held.claim.terms, strict=True):
        shape = np.shape(replay.tape.nodes[node].value)
        slices = list(_slices(replay, node)) if len(shape) == 1 else []
        if len(slices) < 2:
            continue
        truth = training.adjoints.adjoint(node, loss.objective)
        if truth is None or np.shape(truth) != shape:
            continue
        try:
            claim = sum(t.factor * shaped(replay.base(t.node), shape) for t in terms)
        except ValueError:
            continue
        for part in slices:
            yield np.asarray(claim)[part], np.asarray(truth)[part]


def _slices(replay: Replay, node: int) -> Iterator[slice]:
    for i in replay.index.consumers.get(node, ()):
        reader = replay.tape.nodes[i]
        if reader.op is operator.getitem and len(reader.args) == 2 and type(reader.args[1]) is slice:
            yield reader.args[1]


def _fits(claim: Any, truth: Any) -> bool:
    size = float(np.max(np.abs(truth), initial=0.0))
    return len(claim) > 1 and size > 0 and bool(np.all(np.abs(claim - truth) <= _SAME * size))


def is_part(value: np.ndarray, parameter: np.ndarray) -> bool:
    """Whether a value is a parameter, or in another shape a slice of a vector that holds all of them."""
    if value.shape == parameter.shape:
        return np.array_equal(value, parameter)
    if parameter.ndim != 1 or not 1 < value.size < parameter.size:
        return False
    windows = np.lib.stride_tricks.sliding_window_view(parameter, value.size)
    return bool((windows == value.ravel()).all(axis=1).any())
