"""Right values in a wrong place: kept where another one belongs, or read from the wrong list."""

from __future__ import annotations

import textwrap

import pytest

import backpropdoctor as bd

STACK = """
import numpy as np

rng = np.random.default_rng(4)
sizes = [3, 4, 4, 4]
mats = [rng.normal(size=(b, a)) * 0.6 for a, b in zip(sizes, sizes[1:])]
offs = [0.1 * rng.normal(size=(b,)) for b in sizes[1:]]
points = [(rng.normal(size=3), rng.normal(size=4)) for _ in range(3)]


def grads(v, goal):
    outs = [v]
    for mat, off in zip(mats, offs):
        outs.append(np.tanh(mat @ outs[-1] + off))
    d_mats, d_offs = [None] * 3, [np.zeros(b) for b in sizes[1:]]
    back = (outs[-1] - goal) * (1 - outs[-1] ** 2)
    for k in (2, 1, 0):
        if k < 2:
            back = {back}
        {offs} = back
        d_mats[k] = np.outer(back, outs[k])
    return d_mats, d_offs


for turn in range(8):
    sum_mats, sum_offs = [np.zeros_like(m) for m in mats], [np.zeros_like(o) for o in offs]
    for v, goal in points:
        d_mats, d_offs = grads(v, goal)
        sum_mats = [s + d for s, d in zip(sum_mats, d_mats)]
        sum_offs = [s + d for s, d in zip(sum_offs, d_offs)]
    mats = [m - 0.1 * s for m, s in zip(mats, sum_mats)]
    offs = [o - 0.1 * s for o, s in zip(offs, sum_offs)]
"""

NUMBERS = """
from math import tanh


class Cell:
    def __init__(self, ws):
        self.ws = ws


first = [Cell([0.3, 0.1]), Cell([0.5, -0.1])]
second = [Cell([0.2, -0.6, 0.3]), Cell([0.7, 0.1, -0.2])]
points = [([0.5], [0.3, -0.4]), ([1.5], [-0.6, 0.1])]
for turn in range(2):
    for row, goals in points:
        signals = [row]
        for cells in (first, second):
            signals.append([tanh(sum(w * s for w, s in zip(c.ws, signals[-1])) + c.ws[-1]) for c in cells])
        loss = sum((s - g) ** 2 for s, g in zip(signals[-1], goals))
        for c, s, g in zip(second, signals[2], goals):
            c.back = 2 * (s - g) * (1 - s * s)
        for j, c in enumerate(first):
            c.back = sum(d.ws[j] * d.back for d in second) * (1 - signals[1][j] ** 2)
        for number, cells in enumerate([first, second]):
            given = [s for s in signals[{index}]]
            for c in cells:
                for j in range(len(given)):
                    c.ws[j] -= 0.1 * c.back * given[j]
                c.ws[-1] -= 0.1 * c.back
"""


def lines(tmp_path, text):
    path = tmp_path / "train.py"
    path.write_text(textwrap.dedent(text))
    report = bd.check(str(path), time_limit=20)
    return [(f.line, f.code, f.fixes[0].after if f.fixes else "") for f in report.findings if f.severity == "error"]


RIGHT = {"back": "mats[k + 1].T @ back * (1 - outs[k + 1] ** 2)", "offs": "d_offs[k]"}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({}, None),
        ({"back": "mats[k + 1].T @ back"}, 19),  # and not where it is stored
        ({"offs": "d_offs[(k + 1) % 3]"}, 20),
    ],
)
def test_a_right_value_in_the_wrong_place_is_blamed_where_it_was_put(tmp_path, change, line):
    found = lines(tmp_path, STACK.format(**{**RIGHT, **change}))
    assert [at for at, _, _ in found] == ([line] if line else [])


def test_numbers_read_from_a_wrong_list_are_blamed_where_the_list_was_taken(tmp_path):
    [(line, _, _)] = lines(tmp_path, NUMBERS.format(index="2 * number"))
    assert line == 24
