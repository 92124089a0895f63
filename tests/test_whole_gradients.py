"""Steps without a learning rate by a gradient that holds that of a penalty: the penalty is no decay beside it."""

from __future__ import annotations

import pytest

RIDGE = """
import numpy as np

rng = np.random.default_rng(2)
x = rng.normal(size=(30, 4))
y = x @ np.array([1.0, -1.0, 0.5, 2.0]) + 0.1 * rng.normal(size=30)
w, v, lam, lr = rng.normal(size=(4, 3)), rng.normal(size=3), 0.02, 1.0
for k in range(25):
    h = np.tanh(x @ w)
    miss = h @ v - y
    loss = 0.05 * np.mean(miss**2) + lam * np.sum(w**2) + lam * np.sum(v**2)
    d = 0.1 * miss / len(y)
    grad_v = h.T @ d + 2 * lam * v
    grad_w = x.T @ (np.outer(d, v) * (1 - h**2)) + 2 * lam * w
    v -= grad_v
    w -= grad_w
"""


@pytest.mark.parametrize("step", ["v -= grad_v", "v = v - grad_v", "v += -grad_v"])
def test_right_ones_are_not_accused(step, checked):
    report = checked(RIDGE.replace("v -= grad_v", step))
    assert not [f for f in report.findings if f.code.startswith("BD1")]
    assert {c.verdict for c in report.checked} == {"right"}


def test_a_penalty_with_half_its_factor(proven):
    assert proven(RIDGE.replace("h.T @ d + 2 * lam * v", "h.T @ d + lam * v")) == [13]


RATES = RIDGE.replace("v -= grad_v", "v -= lr * grad_v\n    c -= lr * d.sum()").replace("h @ v - y", "h @ v + c - y")
RATES = (
    RATES.replace("lam, lr", "c, lam, lr")
    .replace("0.02, 1.0", "np.zeros(1), 0.02, 0.3")
    .replace("w -= grad_w", "w -= lr * grad_w")
)


def test_a_learning_rate_that_one_update_lacks(checked, proven):
    assert not checked(RATES).findings
    assert proven(RATES.replace("w -= lr * grad_w", "w -= grad_w")) == [17]
