"""A bias that begins as the number 0 and not as 0.0: it is a parameter from the second step on."""

from __future__ import annotations

import pytest

TRAINING = """
import numpy as np

rng = np.random.default_rng(3)
x = rng.normal(size=(80, 3))
y = x @ [1.0, -2.0, 0.5] + 0.3
w, b = np.zeros(3), 0
m = len(y)
for turn in range(20):
    e = x @ w + b - y
    loss = np.sum(e**2) / (2 * m)
    dw = (1 / m) * (x.T @ e)
    db = (1 / m) * np.sum(e)
    w = w - 0.1 * dw
    b = b - 0.1 * db
"""

ATTRIBUTES = TRAINING.replace("w, b = np.zeros(3), 0", "class model: pass\nmodel.w, model.b = np.zeros(3), 0")
ATTRIBUTES = ATTRIBUTES.replace("x @ w + b", "x @ model.w + model.b").replace("w = w", "model.w = model.w")
ATTRIBUTES = ATTRIBUTES.replace("b = b", "model.b = model.b")

TWO_BIASES = """
import numpy as np

rng = np.random.default_rng(11)
x = rng.normal(size=(64, 5))
t = np.tanh(x[:, 0] - x[:, 3])
A = rng.normal(0, 0.4, (5, 7)); a = 0
c = rng.normal(0, 0.4, 7); d = 0
for day in range(60):
    s = np.tanh(x @ A + a)
    cost = ((s @ c + d - t) ** 2).mean()
    g = 2 * (s @ c + d - t) / len(t)
    dc = s.T @ g
    dd = g.sum()
    du = np.outer(g, c) * (1 - s**2)
    dA, da = x.T @ du, du.sum()
    A -= 0.2 * dA; a = a - 0.2 * da; c -= 0.2 * dc; d = d - 0.2 * dd
"""

SUMS = TRAINING.replace("b = np.zeros(3), 0", "b = np.zeros(3), 0\nrw, rb = np.zeros(3), 0")
SUMS = SUMS.replace("    w = w", "    rb += db**2\n    rw += dw**2\n    w = w").replace("0.1 * dw", "0.1 / np.sqrt(rw) * dw")
SUMS = SUMS.replace("0.1 * db", "0.1 / np.sqrt(rb) * db")


def test_beside_another_one(checked, proven):
    report = checked(TWO_BIASES)
    assert not report.findings and {c.tensor for c in report.checked if c.kind == "parameter"} == {"A", "a", "c", "d"}
    assert proven(TWO_BIASES.replace("dd = g.sum()", "dd = g.mean()")) == [14]


def test_beside_a_sum_of_squares_that_begins_so_too(checked, proven):
    report = checked(SUMS)
    assert not report.findings and [c.verdict for c in report.checked if c.kind == "parameter"] == ["right", "right"]
    assert proven(SUMS.replace("db = (1 / m)", "db = (2 / m)")) == [14]


@pytest.mark.parametrize(("source", "line"), [(TRAINING, 13), (ATTRIBUTES, 14)], ids=["variables", "attributes"])
def test_it_is_checked(source, line, checked, proven):
    report = checked(source)
    assert not report.findings and [c.verdict for c in report.checked if c.kind == "parameter"] == ["right", "right"]
    assert proven(source.replace("db = (1 / m)", "db = (2 / m)")) == [line]
