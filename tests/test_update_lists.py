"""Updates of lists of numbers, element by element: a wrong one is mended as that of an array is."""

from __future__ import annotations

import pytest

SOURCE = """\
from math import exp
rows = [[0.3, -1.1], [1.4, 0.2], [-0.6, 0.9], [0.1, 0.5], [-1.2, -0.4]]
labels = [1.0, 0.0, 1.0, 1.0, 0.0]
count, pace = len(rows), 0.4
coefs, level = [0.2, -0.1], 0.05
def chance(row):
    return 1 / (1 + exp(-(sum(c * r for c, r in zip(coefs, row)) + level)))
for lap in range(12):
    gaps = [chance(row) - label for row, label in zip(rows, labels)]
    slopes = [sum(gap * row[k] for gap, row in zip(gaps, rows)) / count for k in (0, 1)]
    slope = sum(gaps) / count
    coefs = [{coefs}]
    level = level - pace * {level}
"""
RIGHT = {"coefs": "c - pace * s for c, s in zip(coefs, slopes)", "level": "slope"}


@pytest.mark.parametrize(
    ("wrong", "line", "code"),
    [({"coefs": RIGHT["coefs"].replace("-", "+")}, 12, "BD107"), ({"level": "slopes[0]"}, 13, "BD112")],
)
def test_the_update_of_a_list_and_the_one_beside_it_are_mended(checked, wrong, line, code):
    [found] = [f for f in checked(SOURCE.format(**(RIGHT | wrong))).findings if f.severity == "error"]
    assert (found.line, found.code) == (line, code)
    assert [e.status for e in found.explanations] == ["verified"]


def test_nothing_is_said_of_lists_that_are_right(checked):
    assert checked(SOURCE.format(**RIGHT)).ok


DEEP = """\
import numpy as np
dice = np.random.default_rng(9)
seen = dice.normal(size=(14, 3))
goal = np.log1p(np.exp(seen @ np.array([[1.0], [-0.5], [0.3]])))
A, a, B, b = dice.normal(size=(3, 5)), np.zeros(5), dice.normal(size=(5, 1)), np.zeros(1)
pace = 0.05
for lap in range(12):
    inner = np.log1p(np.exp(seen @ A + a))
    gap = (inner @ B + b - goal) / len(seen)
    old = B.copy()
    B -= pace * inner.T @ gap
    b -= {pace} * gap.sum(axis=0)
    gap = gap @ {old}.T * {slope}
    A -= pace * seen.T @ gap
    a -= pace * gap.sum(axis=0)
"""
FINE = {"pace": "pace", "old": "old", "slope": "(1 - np.exp(-inner))"}


@pytest.mark.parametrize(
    ("wrong", "line", "after"),
    [
        ({"pace": "0"}, 12, "pace"),  # what does not move at all
        ({"old": "B"}, 13, "old"),  # the update cannot come later: what it reads is overwritten by then
        ({"slope": "(1 / (1 + np.exp(-inner)))"}, 13, ""),  # a derivative of what the forward pass made, in one of two ways
    ],
)
def test_an_update_is_mended_where_it_stands(checked, wrong, line, after):
    [found] = [f for f in checked(DEEP.format(**(FINE | wrong))).findings if f.severity == "error"]
    assert found.line == line and after in ("", found.fixes[0].after)
    assert [e.status for e in found.explanations] == ["verified"]


def test_nothing_is_said_of_an_update_on_the_way_back(checked):
    assert checked(DEEP.format(**FINE)).ok
