"""Edits of picture-like nets and penalties: several axes at once, a window's square, a mean among sums."""

from __future__ import annotations

import pytest

SOURCE = """\
import numpy as np
dice = np.random.default_rng(17)
count, side = 3, 3
scene = dice.normal(size=(count, 2, 2, 2))
goal = dice.normal(size=(count, 1))
gain, shift = 1 + 0.1 * dice.normal(size=(1, 2, 1, 1)), 0.1 * dice.normal(size=(1, 2, 1, 1))
A, B = dice.normal(size=(2 * 2 * 2, 1)), dice.normal(size=(1, 1))
decay, pace = 0.03, 0.05
for lap in range(8):
    wide = np.repeat(np.repeat(scene, side, axis=2), side, axis=3)
    lifted = np.tanh(gain * wide + shift)
    small = lifted.reshape(count, 2, 2, side, 2, side).mean(axis=(3, 5))
    flat = small.reshape(count, -1)
    guess = (flat @ A) @ B
    cost = np.mean((guess - goal) ** 2) + 0.5 * decay * (np.sum(gain ** 2) + np.sum(shift ** 2) + np.sum(A ** 2))
    slope = 2 * (guess - goal) / goal.size
    slope_B = (flat @ A).T @ slope
    slope_A = flat.T @ (slope @ B.T) + decay * A
    back = (slope @ B.T @ A.T).reshape(small.shape)
    back = np.repeat(np.repeat(back, side, axis=2), side, axis=3){window}
    back = back * (1 - lifted ** 2)
    slope_gain = np.sum(back * wide, {axes}keepdims=True) + decay * gain
    slope_shift = np.sum(back, axis=(0, 2, 3), keepdims=True) + decay * shift
    gain += -pace * slope_gain
    shift += -pace * slope_shift
    A += -pace * slope_A
    B += -pace * slope_B
"""
RIGHT = {"window": " / side ** 2", "axes": "axis=(0, 2, 3), "}
CASES = [
    ({"axes": ""}, 22, "BD110"),
    ({"window": ""}, 20, "BD102"),
]

PENALTY = """\
import numpy as np
dice = np.random.default_rng(19)
seen, goal = dice.normal(size=(7, 3)), dice.normal(size=(7, 2))
A, B, C = dice.normal(size=(3, 5)), dice.normal(size=(5, 4)), dice.normal(size=(4, 2))
decay, pace = 0.03, 0.07
for lap in range(8):
    inner = np.tanh(seen @ A)
    outer = np.tanh(inner @ B)
    guess = outer @ C
    weight = 0.5 * decay * (np.sum(A ** 2) + np.{named}(B ** 2) + np.sum(C ** 2))
    cost = np.mean((guess - goal) ** 2) + weight
    slope = 2 * (guess - goal) / goal.size
    grad_C = outer.T @ slope + decay * C
    slope = slope @ C.T * (1 - outer ** 2)
    grad_B = {made}decay * B
    slope = slope @ B.T * (1 - inner ** 2)
    A -= pace * (seen.T @ slope + decay * A)
    B -= pace * grad_B
    C -= pace * grad_C
"""


@pytest.mark.parametrize(("wrong", "line", "code"), CASES)
def test_the_one_edit_is_found(checked, wrong, line, code):
    [found] = [f for f in checked(SOURCE.format(**(RIGHT | wrong))).findings if f.severity == "error"]
    assert (found.line, found.code, [e.status for e in found.explanations[:1]]) == (line, code, ["verified"])


@pytest.mark.parametrize(
    ("named", "made", "line", "code"), [("mean", "inner.T @ slope + ", 10, "BD120"), ("sum", "", 15, "BD118")]
)
def test_a_penalty_that_reads_unlike_the_others_and_a_gradient_of_nothing_else(checked, named, made, line, code):
    [found] = [f for f in checked(PENALTY.format(named=named, made=made)).findings if f.severity == "error"]
    assert (found.line, found.code, [e.status for e in found.explanations[:1]]) == (line, code, ["verified"])


def test_the_right_ones_are_right(checked):
    assert checked(SOURCE.format(**RIGHT)).ok
    assert checked(PENALTY.format(named="sum", made="inner.T @ slope + ")).ok
