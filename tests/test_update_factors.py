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
}

WRONG = {
    "a positive rate inside a product": "W += (lr * X.T) @ (e / 9)\nc += -lr * e.sum(axis=0) / 9",
    "half of it under a name of another language": """
        kulma = -(X.T @ -e) / 18
        siirto = e.sum(axis=0) / 9
        W = W - 0.2 * kulma
        c = c - 0.05 * siirto""",
    "a minus that only one has": "W = W - 0.2 * -(X.T @ e / 9)\nc = c - 0.05 * -(-e.sum(axis=0) / 9)",
    "another matrix in the sign of a momentum": """
        g = X[::-1].T @ e / 9
        W -= 0.01 * (np.sign(0.9 * m + 0.1 * g) + 0.01 * W)
        m = 0.99 * m + 0.01 * g""",
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
