"""A bias that is updated by its gradient and never added is named; what is read at all is not."""

from __future__ import annotations

import pytest

import backpropdoctor as bd

PROGRAM = """
import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3))
Y = np.sin(X[:, :1]) + 0.3
W1, b1, W2, b2 = rng.normal(size=(3, 5)), np.zeros(5), rng.normal(size=(5, 1)), np.zeros(1)
seen = np.zeros(1)
for turn in range(8):
    h = np.tanh({hidden})
    e = {out} - Y
    loss = np.mean(e**2)
    de = 2 * e / len(X)
    dz = de @ W2.T * (1 - h**2)
    dW2, db2, dW1, db1 = h.T @ de, de.sum(axis=0), X.T @ dz, dz.sum(axis=0)
    seen += db2
    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    W2 -= 0.1 * dW2
    b2 -= 0.1 * db2
print(seen, np.abs(b1).max())
"""
HIDDEN, OUT = "X @ W1 + b1", "h @ W2 + b2"

SUMS = """
import numpy as np

rng = np.random.default_rng(0)
W, b = rng.normal(size=(3, 3)), np.zeros((3, 1))
letters = [0, 1, 2, 1, 0, 2, 2, 1]


def cost_and_grads(inputs, targets):
    xs, loss = {}, 0.0
    grads = [np.zeros_like(p) for p in (W, b)]
    dW, db = grads
    for t, (i, j) in enumerate(zip(inputs, targets)):
        xs[t] = np.zeros((3, 1))
        xs[t][i] = 1
        scores = W.dot(xs[t]) + b
        p = np.exp(scores) / np.exp(scores).sum()
        loss -= np.log(p[j, 0])
        dy = p.copy()
        dy[j] -= 1
        dW += dy.dot(xs[t].T)
        db += dy
    for g in grads:
        np.clip(g, -5, 5, out=g)
    return loss, grads


for turn in range(5):
    loss, grads = cost_and_grads(letters[:-1], letters[1:])
    for p, g in zip((W, b), grads):
        p += -0.1 * g
"""


def found(tmp_path, hidden, out):
    path = tmp_path / "train.py"
    path.write_text(PROGRAM.format(hidden=hidden, out=out))
    lines = path.read_text().splitlines()
    return [
        (f.code, f.severity, f.tensors, lines[f.line - 1].strip()) for f in bd.check(str(path)).findings if f.severity != "note"
    ]


@pytest.mark.parametrize(
    ("hidden", "out", "name"), [("X @ W1", OUT, "b1"), (HIDDEN, "h @ W2", "b2"), ("X @ W1 + np.zeros(5)", OUT, "b1")]
)
def test_a_forgotten_bias_is_named(tmp_path, hidden, out, name):
    assert found(tmp_path, hidden, out) == [("BD315", "warning", (name,), f"{name} -= 0.1 * d{name}")]


def test_biases_that_are_read_are_right(tmp_path):
    assert found(tmp_path, HIDDEN, OUT) == []


def test_zeros_that_a_sum_begins_at_are_no_gradient_of_the_data(tmp_path):
    path = tmp_path / "letters.py"
    path.write_text(SUMS)
    assert [f.message for f in bd.check(str(path)).findings if f.severity != "note"] == []
