"""Gradients that are never cleared: one finding, where the code should have done it."""

from __future__ import annotations

import pytest

import backpropdoctor as bd

CELLS = """
import numpy as np
rng = np.random.default_rng(8)


class Cell:
    def __init__(self, shape):
        self.value = rng.normal(size=shape)
        self.grad = np.zeros(shape)

    def through(self, x):
        self.x = x
        return x @ self.value

    def back(self, g):
        self.grad += self.x.T @ g
        return g @ self.value.T

    def plus(self, x):
        return x + self.value

    def back_plus(self, g):
        self.grad += g.sum(axis=0)


first, shift, last = Cell((3, 4)), Cell((4,)), Cell((4, 2))
cells = [first, shift, last]
x, y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
for turn in range(8):
    out = last.through(np.tanh(hidden := shift.plus(first.through(x))))
    loss = ((out - y) ** 2).sum() / 12
    g = last.back((out - y) / 6) * (1 - np.tanh(hidden) ** 2)
    shift.back_plus(g)
    first.back(g)
    for cell in cells:
        cell.value -= 0.1 * cell.grad
        cell.grad = np.zeros_like(cell.grad)
"""
CLEARED = "cell.grad = np.zeros_like(cell.grad)"


@pytest.mark.parametrize(
    "kept", ["cell.grad = cell.grad", "cell.grad = cell.grad.copy()", "cell.grad *= 1", "cell.grad[:] = cell.grad"]
)
def test_a_gradient_that_is_left_as_it_was_is_named_where_it_should_be_cleared(tmp_path, kept):
    script = tmp_path / "train.py"
    script.write_text(CELLS.replace(CLEARED, kept))
    [finding] = [f for f in bd.check(str(script)).findings if f.severity == "error"]
    assert (finding.code, finding.line) == ("BD320", CELLS[: CELLS.index(CLEARED)].count("\n") + 1)


def test_where_nothing_clears_what_is_added_to_in_several_places_the_loop_lacks_it(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(CELLS.replace(CLEARED, "pass"))
    [finding] = [f for f in bd.check(str(script)).findings if f.severity == "error"]
    assert (finding.code, finding.line) == ("BD320", CELLS[: CELLS.index("for turn")].count("\n") + 1)


def test_a_gradient_that_is_cleared_is_right(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(CELLS)
    assert bd.check(str(script)).status == "healthy"
