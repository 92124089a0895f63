"""Scripts without a loss: which one is meant where several fit some gradients, and what is wrong under every loss."""

from __future__ import annotations

import textwrap

import pytest

import backpropdoctor as bd

TANH = """
import numpy as np

r = np.random.RandomState(5)
A = r.randn(12, 3)
T = (A[:, :1] * A[:, 1:2] > 0) * 1.0
V, c, W, d = r.randn(3, 6), np.zeros(6), r.randn(6, 1), np.zeros(1)
for it in range(20):
    h = np.tanh(A @ V + c)
    p = 1 / (1 + np.exp(-(h @ W + d)))
    miss = (p - T) / len(A)
    go = miss * p * (1 - p)
    gh = {down} @ W.T * (1 - h ** 2)
    W -= 0.5 * h.T @ {weights}
    d -= 0.5 * go.sum(0)
    V -= 0.5 * A.T @ gh
    c -= 0.5 * gh.sum(0)
"""

SHARED = """
import numpy as np

gen = np.random.default_rng(2)
inputs = gen.normal(size=(4, 15))
goals = np.tanh(inputs[:2] - inputs[2:])
first, second = 0.4 * gen.normal(size=(5, 4)), 0.4 * gen.normal(size=(2, 5))


def act(v):
    return np.tanh(v)


def slope(a):
    return {slope}


for turn in range(20):
    middle = act(first @ inputs)
    outcome = act(second @ middle)
    error = {error}
    top = error * slope(outcome)
    low = second.T @ top * slope(middle)
    second -= 0.05 * top @ middle.T
    first -= 0.05 * low @ inputs.T
"""


def check(tmp_path, text):
    path = tmp_path / "train.py"
    path.write_text(textwrap.dedent(text))
    return bd.check(str(path), time_limit=20)


@pytest.mark.parametrize(("down", "weights", "line"), [("go", "miss", 14), ("miss", "go", 13)])
def test_the_loss_is_the_one_under_which_the_whole_error_is_right(tmp_path, down, weights, line):
    report = check(tmp_path, TANH.format(down=down, weights=weights))
    [found] = [f for f in report.findings if f.severity == "error"]
    assert found.line == line
    assert report.loss is not None and report.loss.name == "half the squared error"


def test_a_derivative_that_is_wrong_in_all_layers_is_wrong_whatever_the_loss(tmp_path):
    report = check(tmp_path, SHARED.format(slope="1 - a", error="outcome - goals"))
    [found] = [f for f in report.findings if f.severity == "error"]
    assert found.line == 15 and found.code == "BD106"
    assert any(e.status == "verified" for e in found.explanations)


@pytest.mark.parametrize("error", ["np.sign(outcome - goals)", "(outcome - goals) ** 3", "np.clip(outcome - goals, -0.1, 0.1)"])
@pytest.mark.parametrize("slope", ["1 - a * a", "1 - a"])
def test_nothing_is_said_of_a_loss_that_is_not_known(tmp_path, slope, error):
    report = check(tmp_path, SHARED.format(slope=slope, error=error))
    assert [f for f in report.findings if f.severity == "error"] == []
    assert report.status == "incomplete"


NUMBERS = """
from math import exp, log

marks = [([1.0, 0.2], 1), ([0.4, -0.7], 0), ([-0.3, 0.9], 1), ([0.8, -1.2], 0)]
ws, bias = [0.1, -0.3], 0.05


def chance(point):
    return 1 / (1 + exp(-(sum(w * v for w, v in zip(ws, point)) + bias)))


for lap in range(6):
    odds = [chance(point) for point, _ in marks]
    cost = -sum(log(o if mark else 1 - o) for o, (_, mark) in zip(odds, marks)) / len(marks)
    misses = [{miss} for o, (_, mark) in zip(odds, marks)]
    ws = [w - 0.5 * sum(m * point[k] for m, (point, _) in zip(misses, marks)) / len(marks) for k, w in enumerate(ws)]
    bias -= 0.5 * sum(misses) / len(marks)
"""


def test_the_derivative_of_another_loss_is_found_inside_a_comprehension(tmp_path):
    report = check(tmp_path, NUMBERS.format(miss="o * (o - mark) * (1 - o)"))
    [found] = [f for f in report.findings if f.severity == "error"]
    assert found.line == 15 and "o - mark" in found.fixes[0].after


ALL_WRONG = """
import numpy as np

rs = np.random.RandomState(8)
layers = [rs.randn(4, 4) * 0.7 for _ in range(3)]
points = rs.randn(9, 4)
wanted = np.cos(points)

for i in range(27):
    seen = [points[i % 9]]
    for w in layers:
        seen.append(np.tanh(w @ seen[-1]))
    off = {off}
    for k in (2, 1, 0):
        off = off * (1 - seen[k + 1] ** 2)
        read = {read}
        down = layers[k].T @ off
        layers[k] -= 0.05 * np.outer(off, read)
        off = down
"""


def test_no_error_at_the_output_gives_all_gradients(tmp_path):
    report = check(tmp_path, ALL_WRONG.format(off="seen[-1] - wanted[i % 9]", read="seen[k + 1]"))
    [found] = [f for f in report.findings if f.severity == "error"]
    assert found.line == 16 and found.fixes[0].after == "k"
    assert report.loss is not None and report.loss.name == "half the squared error"


@pytest.mark.parametrize("off", ["(seen[-1] - wanted[i % 9]) * seen[0]", "2 * np.arctan(seen[-1] - wanted[i % 9])"])
def test_an_error_at_the_output_that_is_not_known_gives_all_gradients(tmp_path, off):
    report = check(tmp_path, ALL_WRONG.format(off=off, read="seen[k]"))
    assert [f for f in report.findings if f.severity == "error"] == []
