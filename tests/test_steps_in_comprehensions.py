"""Training steps that a comprehension or `map` makes are steps, as those of a loop are."""

from __future__ import annotations

import pytest

import backpropdoctor as bd

PROGRAM = """
import math
import random

random.seed(3)
weights = [[random.uniform(-1, 1) for _ in range(2)] for _ in range(2)]
shifts = [random.uniform(-1, 1) for _ in range(2)]
last, shift = [random.uniform(-1, 1) for _ in range(2)], [0.1]


def forward(x):
    found = []
    for row, b in zip(weights, shifts):
        total = b
        for w, v in zip(row, x):
            total += w * v
        found.append(math.tanh(total))
    return found


def learn(x, y, rate=0.2):
    hidden = forward(x)
    error = sum(w * h for w, h in zip(last, hidden)) + shift[0] - y
    deltas = [error * last[k] * (1 - h * h) for k, h in enumerate(hidden)]
    for k, h in enumerate(hidden):
        last[k] -= rate * error * h
        for i, v in enumerate(x):
            weights[k][i] -= rate * deltas[k] * v
        shifts[k] -= rate * {own}
    shift[0] -= rate * error
    return 0.5 * error**2


data = [((0, 0), 0), ((0, 1), 1), ((1, 0), 1), ((1, 1), 0)]
for epoch in range(20):
    cost = {sum_}
"""

SUMS = (
    "sum(learn(x, y) for x, y in data)",
    "sum(map(lambda sample: learn(*sample), data))",
)


@pytest.mark.parametrize("sum_", SUMS)
def test_right_steps_are_right(tmp_path, sum_):
    path = tmp_path / "train.py"
    path.write_text(PROGRAM.format(sum_=sum_, own="deltas[k]"))
    report = bd.check(str(path))
    assert report.status == "healthy"
    assert {r.verdict for r in report.checked} == {"right"}


def test_a_wrong_one_is_found(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(PROGRAM.format(sum_=SUMS[0], own="2 * deltas[k]"))
    [finding] = bd.check(str(path)).findings
    assert finding.severity == "error"
    assert "shifts[k] -= rate" in path.read_text().splitlines()[finding.line - 1]
