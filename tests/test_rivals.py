"""A script's own loss beside a standard one that its gradients fit: a fault where an edit proves it, else said in a note."""

from __future__ import annotations

import textwrap

import pytest

import backpropdoctor as bd

BASE = """
import numpy as np

rng = np.random.default_rng(3)
signal = rng.uniform(-1, 1, (25, 3))
wanted = np.tanh(signal @ rng.normal(size=(3, 3)))
noisy = wanted + 0.1 * rng.normal(size=wanted.shape)
V, c = 0.3 * rng.normal(size=(3, 3)), np.zeros(3)
teacher = np.full((3, 3), 0.2)
for turn in range(12):
    guess = 1 / (1 + np.exp(-(signal @ V + c)))
    half = (wanted > 0) * 1.0
    {loss}
    back = {back}
    V -= 0.3 * signal.T @ back
    c -= 0.3 * back.sum(axis=0)
    print(turn, {shown})
"""
SQUARED = "loss = np.mean((guess - wanted) ** 2)"
ENTROPY = "loss = -np.mean(half * np.log(guess) + (1 - half) * np.log(1 - guess))"
SLOPE = "guess * (1 - guess)"


def check(tmp_path, loss, back, shown="loss"):
    path = tmp_path / "train.py"
    path.write_text(textwrap.dedent(BASE.format(loss=loss, back=back, shown=shown)))
    return bd.check(str(path), time_limit=20)


@pytest.mark.parametrize(
    ("loss", "back"),
    [
        (SQUARED, f"2 * (guess - wanted) * {SLOPE} / wanted.size"),
        (ENTROPY, "(guess - half) / half.size"),
        (SQUARED.replace("loss", "mse"), f"2 * (guess - noisy) * {SLOPE} / wanted.size"),  # what is printed only
        (ENTROPY.replace("loss", "test_loss"), "(guess - (0.9 * half + 0.05)) / half.size"),
        (ENTROPY, "(guess - (0.9 * half + 0.05)) / half.size"),  # soft labels
        (ENTROPY, "(guess - 1 / (1 + np.exp(-signal @ teacher))) / half.size"),
        (SQUARED.replace("wanted", "half"), "(guess - half) / half.size"),  # a distance beside a cross-entropy
    ],
)
def test_a_right_program_is_not_accused(tmp_path, capsys, loss, back):
    report = check(tmp_path, loss, back, loss.split(" = ")[0])
    assert [f.message for f in report.findings if f.severity != "note"] == []
    assert report.status == "healthy"


@pytest.mark.parametrize(
    ("loss", "back", "now"),
    [
        (SQUARED, f"2 * (guess - wanted[::-1]) * {SLOPE} / wanted.size", ""),  # the rows in another order
        (SQUARED, f"2 * (guess - signal) * {SLOPE} / wanted.size", "wanted"),
        (SQUARED, f"2 * (guess - wanted[:, :1]) * {SLOPE} / wanted.size", ""),
        (ENTROPY, f"(guess - half) * {SLOPE} / half.size", "guess - half"),
    ],
)
def test_what_fits_another_loss_than_the_own_one_is_a_fault_where_an_edit_proves_it(tmp_path, capsys, loss, back, now):
    report = check(tmp_path, loss, back)
    [found] = [f for f in report.findings if f.severity == "error"]
    assert found.line == 14 and now in found.fixes[0].after
    assert any(e.status == "verified" for e in found.explanations)
    assert report.loss is not None and report.loss.name == "loss"


def test_a_target_that_is_the_input_is_a_fault_where_the_error_that_is_printed_is_of_another(tmp_path, capsys):
    loss, back = SQUARED.replace("loss", "mse"), f"2 * (guess - signal) * {SLOPE} / wanted.size"
    report = check(tmp_path, loss, back, "mse")
    [found] = [f for f in report.findings if f.severity == "error"]
    assert (found.line, found.fixes[0].after) == (14, "wanted")


def test_the_name_of_a_gradient_says_of_which_loss_it_is(tmp_path, capsys):
    text = BASE.replace("V -= 0.3 * signal.T @ back", "dJdV = signal.T @ back\n    V -= 0.3 * dJdV")
    path = tmp_path / "train.py"
    loss = SQUARED.replace("loss", "J").replace("wanted", "half")
    path.write_text(text.format(loss=loss, back="2 * (guess - half) / half.size", shown="J"))
    report = bd.check(str(path), time_limit=20)
    assert [(f.code, f.line) for f in report.findings if f.severity == "error"] == [("BD104", 14)]


def test_a_number_that_the_gradients_are_not_of_is_named_in_a_note(tmp_path, capsys):
    report = check(tmp_path, SQUARED.replace("wanted", "half"), "(guess - half) / half.size")
    assert any("`loss` at line 13" in note for note in report.notes)


STACK = """
import numpy as np

rng = np.random.default_rng(11)


class Dense:
    def __init__(self, wide, high):
        self.w = rng.normal(size=(high, wide))

    def up(self, x):
        self.x = x
        self.p = 1 / (1 + np.exp(-self.w @ x))
        return self.p

    def down(self, d):
        d = d * self.p * (1 - self.p)
        self.step = d @ self.x.T
        return self.w.T @ d


points = rng.normal(size=(3, 20))
marks = (points[:1] > points[1:2]) * 1.0
net = [Dense(3, 4), Dense(4, 1)]
for turn in range(9):
    chance = points
    for layer in net:
        chance = layer.up(chance)
    loss = -np.sum(marks * np.log(chance) + (1 - marks) * np.log(1 - chance))
    back = {back}
    for layer in net[::-1]:
        back = layer.down(back)
    for layer in net:
        layer.w -= 0.05 * layer.step
    print(turn, loss)
"""


def test_what_a_layer_is_given_is_at_fault_where_the_layer_is_right_in_another_place(tmp_path, capsys):
    path = tmp_path / "train.py"
    path.write_text(STACK.format(back="chance - marks"))
    [found] = [f for f in bd.check(str(path)).findings if f.severity == "error"]
    assert (found.line, found.fixes[0].after) == (30, "(chance - marks) / (chance * (1 - chance))")
    path.write_text(STACK.format(back="(chance - marks) / (chance * (1 - chance))"))
    assert bd.check(str(path)).ok
