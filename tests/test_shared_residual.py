"""A difference that the loss and the backward pass both read: it is the first cotangent, and may be taken for another one."""

from __future__ import annotations

import pytest

TRAINING = """
import numpy as np

rng = np.random.default_rng(5)
X = rng.normal(size=(30, 4))
T = np.tanh(X[:, :1] * X[:, 1:2])
V, w = rng.normal(0, 0.5, (4, 3)), rng.normal(0, 0.5, (3, 1))
for turn in range(6):
    h = np.tanh(X @ V)
    o = np.tanh(h @ w)
    e = DIFFERENCE
    loss = 0.5 * np.sum(e**2)
    delta = DELTA * (1 - o**2)
    dh = delta @ w.T * (1 - h**2)
    w SIGN= 0.02 * h.T @ delta
    V SIGN= 0.02 * X.T @ dh
"""


def written(difference: str, delta: str) -> str:
    sign = "-" if difference == "o - T" else "+"
    return TRAINING.replace("DIFFERENCE", difference).replace("DELTA", delta).replace("SIGN", sign)


@pytest.mark.parametrize("difference", ["o - T", "T - o"])
@pytest.mark.parametrize("again", [False, True], ids=["named", "written again"])
def test_what_is_taken_for_another_cotangent_is_named_where_it_is_taken(difference, again, proven):
    source = written(difference, f"({difference})" if again else "e")
    assert proven(source) == []
    assert proven(source.replace(" * (1 - o**2)", "")) == [13]


def test_one_sample_a_step(proven):
    source = written("T[i] - o", "e").replace("X @ V", "X[i] @ V").replace("range(6)", "range(6):\n    i = turn")
    source = source.replace("turn in range(6):\n    i = turn:", "i in range(6):").replace("SIGN", "+")
    source = (
        source.replace("delta @ w.T", "w @ delta")
        .replace("h.T @ delta", "np.outer(h, delta)")
        .replace("X.T @ dh", "np.outer(X[i], dh)")
    )
    assert proven(source) == []
    assert proven(source.replace(" * (1 - o**2)", "")) == [13]
