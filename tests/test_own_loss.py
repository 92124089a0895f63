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


TAPE = """
import math


class Num:
    tape = []

    def __init__(self, value):
        self.value, self.bar = value, 0.0

    def __mul__(self, other):
        out = Num(self.value * other.value)

        def pull():
            self.bar += other.value * out.bar
            other.bar += self.value * out.bar

        Num.tape.append(pull)
        return out

    def __sub__(self, other):
        out = Num(self.value - other.value)

        def pull():
            self.bar += out.bar
            other.bar -= out.bar

        Num.tape.append(pull)
        return out

    def log_cosh(self):
        out = Num(math.log(math.cosh(self.value)))

        def pull():
            self.bar += {slope} * out.bar

        Num.tape.append(pull)
        return out

    def run_back(self):
        self.bar = 1.0
        for pull in reversed(Num.tape):
            pull()


weight, shift = Num(0.7), Num(-0.2)
for turn in range(20):
    Num.tape.clear()
    weight.bar = shift.bar = 0.0
    rest = (weight * Num(1.5) - shift * Num(2.0) - Num(0.3)).log_cosh()
    rest.run_back()
    weight.value -= 0.1 * weight.bar
    shift.value -= 0.1 * shift.bar
"""


@pytest.mark.parametrize("slope", ["math.tanh(self.value)", "math.tanh(2 * self.value)"])
def test_the_one_that_a_backward_pass_begins_with_says_which_loss_is_meant(tmp_path, capsys, slope):
    report = check(tmp_path, TAPE.format(slope=slope))
    assert report.loss is not None and report.loss.name == "rest" and report.loss.source == "found"
    wrong = [f.line for f in report.findings if f.severity == "error"]
    assert wrong == ([] if slope == "math.tanh(self.value)" else [35])


def test_the_losses_of_several_samples_are_added_up_as_their_gradients_are(tmp_path, capsys):
    text = TAPE.format(slope="math.tanh(self.value)")
    single = "    Num.tape.clear()\n    weight.bar = shift.bar = 0.0\n"
    several = "    weight.bar = shift.bar = 0.0\n    for x in (1.5, -0.4, 0.9):\n        Num.tape.clear()\n"
    text = text.replace(single, several)
    for line in ("    rest = (weight", "    rest.run_back"):
        text = text.replace(line, "    " + line)
    text = text.replace("weight * Num(1.5)", "weight * Num(x)")
    report = check(tmp_path, text)
    assert report.status == "healthy" and report.loss is not None and report.loss.name == "rest"


RECORDS = """
from math import tanh

rows = [(0.3, -0.7, 0.2), (-0.5, 0.4, -0.1), (0.8, 0.1, 0.6)]
unit = [{{"w": [0.2, -0.4]}}, {{"w": [0.5, 0.3]}}]
top = {{"w": [0.7, -0.6]}}
for turn in range(8):
    for a, b, wish in rows:
        for one in unit:
            one["out"] = tanh(one["w"][0] * a + one["w"][1] * b)
        got = top["w"][0] * unit[0]["out"] + top["w"][1] * unit[1]["out"]
        loss = (got - wish) ** 2 / 2
        top["slope"] = got - wish
        for k, one in enumerate(unit):
            one["slope"] = top["slope"] * top["w"][{index}] * (1 - one["out"] ** 2)
        for k, one in enumerate(unit):
            top["w"][k] -= 0.1 * top["slope"] * one["out"]
            one["w"][0] -= 0.1 * one["slope"] * a
            one["w"][1] -= 0.1 * one["slope"] * b
    print(loss)
"""


@pytest.mark.parametrize(("index", "lines"), [("k", []), ("k - 1", [15])])
def test_the_numbers_of_each_record_are_a_parameter_of_their_own(tmp_path, capsys, index, lines):
    report = check(tmp_path, RECORDS.format(index=index))
    assert [f.line for f in report.findings if f.severity == "error"] == lines
    assert len([row for row in report.checked if row.kind == "parameter"]) == 3
    assert report.loss is not None and report.loss.name == "loss"


def test_a_scalar_of_the_backward_pass_is_not_the_loss_where_more_gradients_fit_another(tmp_path, capsys):
    text = RECORDS.format(index="k").replace(
        'one["slope"] = ', 'error = top["slope"] * top["w"][k]\n            one["slope"] = '
    )
    report = check(tmp_path, text.replace("loss = ", "energy = ").replace("print(loss)", "print(energy)"))
    assert report.status == "healthy" and report.loss is not None and report.loss.name == "energy"


BATCHES = """
import numpy as np

rng = np.random.default_rng(5)
points = rng.normal(size=(48, 3))
marks = (points[:, :1] * points[:, 1:2] > 0) * 1.0
V, W = rng.normal(size=(3, 5)), rng.normal(size=(5, 1))


def output(x):
    return 1 / (1 + np.exp(-np.tanh(x @ V) @ W))


def cost(x, y):
    p = output(x)
    return {cost}


for epoch in range(8):
    order = rng.permutation(len(points))
    points, marks = points[order], marks[order]
    for start in range(0, 48, 12):
        x, y = points[start : start + 12], marks[start : start + 12]
        h, p = np.tanh(x @ V), output(x)
        d = {back} / len(x)
        dW, dV = h.T @ d, x.T @ (d @ W.T * (1 - h ** 2))
        W = {shrink} * W - 0.5 * dW
        V = {shrink} * V - 0.5 * dV
    print(epoch, cost(points, marks))
"""
ENTROPY = "-(y * np.log(p) + (1 - y) * np.log(1 - p)).sum() / len(x)"
PENALTY = " + 0.5 * 0.3 / len(x) * ((W ** 2).sum() + (V ** 2).sum())"


@pytest.mark.parametrize(
    ("cost", "back", "shrink"),
    [
        (ENTROPY, "(p - y)", "1.0"),
        (ENTROPY + PENALTY, "(p - y)", "(1 - 0.5 * 0.3 / 48)"),  # of all data, and not of a batch
        (ENTROPY + PENALTY, "(p - y)", "1.0"),
        ("((p - y) ** 2).mean()", "(p - y)", "1.0"),  # a score beside a cross-entropy
        ("((p - y) ** 2).mean()", "2 * (p - y) * p * (1 - p)", "1.0"),
    ],
)
def test_a_cost_of_all_data_accuses_no_gradient_of_a_batch(tmp_path, capsys, cost, back, shrink):
    report = check(tmp_path, BATCHES.format(cost=cost, back=back, shrink=shrink))
    assert [f.message for f in report.findings if f.severity != "note"] == [] and report.status == "healthy"


def test_the_gradient_of_a_batch_is_that_of_the_cost_of_all_data(tmp_path, capsys):
    report = check(tmp_path, BATCHES.format(cost=ENTROPY, back="(p - y) * p * (1 - p)", shrink="1.0"))
    [found] = [f for f in report.findings if f.severity == "error"]
    assert (found.line, found.code) == (25, "BD120")
    assert [e.status for e in found.explanations] == ["verified"]
