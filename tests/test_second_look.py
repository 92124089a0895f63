"""Where all gradients of one step are right: a later step of the same training, and others of the same tape, are looked at."""

from __future__ import annotations

import pytest

SCALED = """
import numpy as np

rng = np.random.default_rng(5)
inputs = rng.normal(size=(30, 3))
goal = np.tanh(inputs[:, :2])
A = rng.normal(0, 0.6, (3, 2))
gain = np.ones(2)
for turn in range(8):
    act = np.tanh(inputs @ A)
    off = act * gain - goal
    if turn % 4 == 0:
        print(turn, 0.5 * np.mean(np.sum(off**2, axis=1)))
    top = off / len(inputs)
    dgain = (top * act).sum(axis=0)
    dA = inputs.T @ (top * gain * (1 - act**2))
    gain = gain - 0.8 * dgain
    A = A - 0.8 * dA
"""

PAIR = """
import numpy as np

rng = np.random.default_rng(6)
inputs = rng.normal(size=(25, 3))
goal = inputs @ np.array([0.3, -0.5, 0.2]) + 0.7


class Line:
    def __init__(self):
        self.slope, self.lift = np.zeros(3), 0.0

    def turn(self):
        off = inputs @ self.slope + self.lift - goal
        self.slope = self.slope - 0.1 * (inputs.T @ off) / len(goal)
        self.lift = self.lift - 0.1 * off.mean()
        return 0.5 * np.mean(off**2)


class Curve:
    def __init__(self):
        self.low, self.mid, self.high = rng.normal(size=(3, 4)), np.zeros(4), rng.normal(size=4)

    def turn(self):
        act = np.tanh(inputs @ self.low + self.mid)
        off = act @ self.high - goal
        back = np.outer(off, self.high) * (1 - act**2) / len(goal)
        self.high = self.high - 0.1 * (act.T @ off) / len(goal)
        self.low = self.low - 0.1 * inputs.T @ back
        self.mid = self.mid - 0.1 * back.sum(axis=0)
        return 0.5 * np.mean(off**2)


for model in (Line(), Curve()):
    losses = [model.turn() for _ in range(5)]
    print(losses[-1])
"""


@pytest.mark.parametrize(
    ("source", "was", "now", "line"),
    [(SCALED, "top * gain * (1", "top * (1", 16), (PAIR, "off.mean()", "off.sum()", 16)],
    ids=["hidden by the start value", "other parameters"],
)
def test_what_one_step_does_not_show(checked, source, was, now, line):
    right = checked(source)
    assert right.ok and right.checked and all(c.verdict == "right" for c in right.checked)
    wrong = checked(source.replace(was, now))
    [finding] = [f for f in wrong.findings if f.severity == "error"]
    assert finding.line == line and any(e.status == "verified" for e in finding.explanations)
