"""What an update takes off its gradient: numbers for learning rates, signs, the states that it reads before they change."""

from __future__ import annotations

import textwrap

import pytest

import backpropdoctor as bd

START = """
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
W, c = rng.normal(size=(3, 2)), rng.normal(size=2)
m = np.zeros_like(W)
rows, columns = np.zeros((3, 1)), np.zeros((1, 2))
U, heads = rng.normal(size=(4, 5)), [rng.normal(size=(5, 2)) for k in range(2)]
lr = 0.05
for i in range(6):
    e = X @ W + c - Y
    loss = 0.5 * np.sum(e**2) / 9
"""


def checked(tmp_path, step: str):
    path = tmp_path / "steps.py"
    path.write_text(START + textwrap.indent(textwrap.dedent(step).strip(), "    ") + "\n")
    return bd.check(str(path), time_limit=20)


RIGHT = {
    "a negative rate inside a product": "W += (-lr * X.T) @ (e / 9)\nc += -lr * e.sum(axis=0) / 9",
    "a number and a name of another language": """
        kulma = -(X.T @ -e) / 9
        siirto = e.sum(axis=0) / 9
        W = W - 0.2 * kulma
        c = c - 0.05 * siirto""",
    "numbers of their own, and a minus": "W = W - 0.2 * -(X.T @ -e / 9)\nc = c - 0.05 * -(-e.sum(axis=0) / 9)",
    "the sign of a momentum that changes afterwards": """
        g = X.T @ e / 9
        W -= 0.01 * (np.sign(0.9 * m + 0.1 * g) + 0.01 * W)
        m = 0.99 * m + 0.01 * g""",
    "second moments of rows and columns": """
        g = X.T @ e / 9
        rows = 0.9 * rows + 0.1 * (g**2).mean(axis=1, keepdims=True)
        columns = 0.9 * columns + 0.1 * (g**2).mean(axis=0, keepdims=True)
        u = g / np.sqrt(rows * columns / rows.mean() + 1e-12)
        W = W - 0.02 * u / max(1.0, np.sqrt(np.mean(u**2)))""",
    "a step that is rounded to another type": """
        g = X.T @ e / 9
        m += 0.1 * (g - m)
        W -= (lr * m / (np.sqrt(g * g) + 0.1)).astype(np.float32)""",
    "a head that every other step changes": """
        h = np.c_[X, np.ones(9)] @ U
        r = h @ heads[i % 2] - Y
        loss = 0.5 * np.mean(r**2)
        d = r / r.size
        dhead, dU = h.T @ d, np.c_[X, np.ones(9)].T @ (d @ heads[i % 2].T)
        heads[i % 2] -= 0.1 * dhead
        U -= 0.1 * dU""",
}

WRONG = {
    "a positive rate inside a product": "W += (lr * X.T) @ (e / 9)\nc += -lr * e.sum(axis=0) / 9",
    "half of it under a name of another language": """
        kulma = -(X.T @ -e) / 18
        siirto = e.sum(axis=0) / 9
        W = W - 0.2 * kulma
        c = c - 0.05 * siirto""",
    "a minus that only one has": "W = W - 0.2 * -(X.T @ e / 9)\nc = c - 0.05 * -(-e.sum(axis=0) / 9)",
    "a minus too many before it is rounded": """
        g = X.T @ e / 9
        m += 0.1 * (g - m)
        W -= (-lr * m / (np.sqrt(g * g) + 0.1)).astype(np.float32)""",
    "another matrix in the sign of a momentum": """
        g = X[::-1].T @ e / 9
        W -= 0.01 * (np.sign(0.9 * m + 0.1 * g) + 0.01 * W)
        m = 0.99 * m + 0.01 * g""",
    "second moments of the gradient of a sum": """
        g = X.T @ (e + W[0]) / 9
        rows = 0.9 * rows + 0.1 * (g**2).mean(axis=1, keepdims=True)
        columns = 0.9 * columns + 0.1 * (g**2).mean(axis=0, keepdims=True)
        u = g / np.sqrt(rows * columns / rows.mean() + 1e-12)
        W = W - 0.02 * u / max(1.0, np.sqrt(np.mean(u**2)))""",
    "the other head, on the way back": """
        h = np.c_[X, np.ones(9)] @ U
        r = h @ heads[i % 2] - Y
        loss = 0.5 * np.mean(r**2)
        d = r / r.size
        dhead, dU = h.T @ d, np.c_[X, np.ones(9)].T @ (d @ heads[i % 2 - 1].T)
        heads[i % 2] -= 0.1 * dhead
        U -= 0.1 * dU""",
}


@pytest.mark.parametrize("step", RIGHT.values(), ids=RIGHT)
def test_a_right_step_is_not_accused(tmp_path, step):
    report = checked(tmp_path, step)
    assert [f.message for f in report.findings] == []
    assert report.status == "healthy"


@pytest.mark.parametrize("step", WRONG.values(), ids=WRONG)
def test_a_wrong_step_is_found(tmp_path, step):
    assert any(f.severity == "error" for f in checked(tmp_path, step).findings)


def test_the_gradient_of_a_mean_is_not_that_of_a_sum(tmp_path):
    report = checked(tmp_path, "g = X.T @ e / 9\nm = 0.9 * m + 0.1 * g\nW -= lr * np.sign(m)")
    assert [f.message for f in report.findings] == []
