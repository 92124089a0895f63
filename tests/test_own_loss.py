"""A script's loss that stands outside its training loop, losses that fit by chance, and gradients that fit none."""

from __future__ import annotations

import ast
import textwrap

import pytest

import backpropdoctor as bd
from backpropdoctor.load.conventions import is_loss_name
from backpropdoctor.tape.instrument_loops import Program
from backpropdoctor.tape.own_loss import ask_for_loss

LINE = """
import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(30, 3))
y = X @ [1.0, -2.0, 0.5]


def cost(w, b):
    return np.mean(np.log(np.cosh(X @ w + b - y)))


w, b = np.zeros(3), 0.0
for step in range(20):
    r = np.tanh(X @ w + b - y)
    w = w - 0.1 * X.T @ r / len(y)
    b = b - 0.1 * {gradient}
print(cost(w, b))
"""


def check(tmp_path, text, name="train.py"):
    path = tmp_path / name
    path.write_text(textwrap.dedent(text))
    return bd.check(str(path), time_limit=20)


def test_a_cost_called_after_the_loop_is_what_gradients_are_held_against(tmp_path, capsys):
    report = check(tmp_path, LINE.format(gradient="r.mean()"))
    assert report.status == "healthy"
    assert report.loss is not None and report.loss.name == "cost" and report.loss.source == "found"
    assert capsys.readouterr().out.count("\n") == 1  # what the script prints, once


def test_a_gradient_that_does_not_belong_to_it_is_named(tmp_path, capsys):
    report = check(tmp_path, LINE.format(gradient="r.sum()"))
    assert [f.line for f in report.findings if f.severity == "error"] == [17]


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("for i in range(3):\n    w -= 0.1 * dw\nprint(cost(w))", 1),
        ("for i in range(3):\n    w -= 0.1 * dw\n    J = cost(w)\nprint(cost(w))", 0),
        ("for i in range(3):\n    w -= 0.1 * dw\n    if i == 2: print(cost(w))", 1),
        ("for i in range(3):\n    print(i)\nprint(cost(w))", 0),
        ("def f():\n    print(cost(w))\nfor i in range(3):\n    w -= 0.1 * dw", 0),
    ],
)
def test_only_a_training_loop_without_a_loss_is_asked(source, asked):
    tree = ast.parse(source)
    program = Program()
    program.add(tree)
    before = sum(isinstance(n, ast.Try) for n in ast.walk(tree))
    ask_for_loss(tree, program, is_loss_name)
    assert sum(isinstance(n, ast.Try) for n in ast.walk(tree)) - before == asked


def test_a_loss_that_nothing_fits_accuses_nobody(tmp_path, capsys):
    report = check(
        tmp_path,
        """
        import numpy as np

        rng = np.random.default_rng(1)
        X, y = rng.normal(size=(40, 3)), rng.normal(size=40)
        w = rng.normal(size=3)
        for step in range(10):
            error = np.mean((X @ w - y) ** 4)
            direction = rng.normal(size=3) * np.sin(w)
            w -= 0.1 * direction
        print(error)
        """,
    )
    assert [f for f in report.findings if f.severity == "error"] == []
    assert report.status == "incomplete"


def test_a_metric_that_fits_the_first_step_only_is_not_the_loss(tmp_path, capsys):
    report = check(
        tmp_path,
        """
        import numpy as np

        rng = np.random.default_rng(2)
        X, y = rng.normal(size=(40, 3)), np.eye(3)[rng.integers(0, 3, 40)]
        W = np.zeros((3, 3))
        for step in range(10):
            p = np.exp(X @ W)
            p /= p.sum(axis=1, keepdims=True)
            mse = np.mean((p - y) ** 2)
            W -= X.T @ (p - y) / len(X)
            print(mse)
        """,
    )
    assert report.status == "healthy" and not [f for f in report.findings if f.severity == "warning"]
    assert report.loss is not None and report.loss.name == "softmax cross-entropy"
