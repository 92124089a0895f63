"""What a layer returns under the name of an inner value; a scale that only the residual knows; a decay called a gradient."""

from __future__ import annotations

import pytest

LAYERS = """\
import numpy as np

rng = np.random.default_rng(8)


class Mix:
    def __init__(self, a, b):
        self.w, self.c, self.rate = rng.normal(size=(a, b)) * 0.5, rng.normal(size=b) * 0.1, 0.02

    def run(self, u):
        self.u = u
        return u @ self.w + self.c

    def cost(self):
        return self.rate * np.sum(self.w**2)

    def back(self, du):
        self.dw = self.u.T @ du + 2 * self.rate * self.w
        self.dc = du.sum(0)
        return du @ self.w.T

    def learn(self, pace):
        self.w -= pace * self.dw
        self.c -= pace * self.dc


class Centred:
    def run(self, u):
        self.mid = u - u.mean(0)
        self.out = np.tanh(self.mid)
        return self.out

    def back(self, dout):
        dmid = dout * (1 - self.out**2)
        return dmid - dmid.mean(0)


class Wide(Mix):
    def back(self, du):
        self.dw = self.u.T @ du + 2 * self.rate * self.w
        self.dc = du.sum(0)
        return du @ self.w.T


first, bend, last = Wide(4, 3), Centred(), Mix(3, 2)
seen, aim = rng.normal(size=(7, 4)), rng.normal(size=(7, 2))
for lap in range(15):
    guess = last.run(bend.run(first.run(seen)))
    loss = 0.5 * np.sum((guess - aim) ** 2) + first.cost() + last.cost()
    g = first.back(bend.back(last.back(guess - aim)))
    first.learn(0.01)
    last.learn(0.01)
"""

EDITS = {
    "the return of an inner value's cotangent": ("return dmid - dmid.mean(0)", "return dmid", 35),
    "a factor behind the output layer": ("dmid = dout *", "dmid = 3 * dout *", 34),
    "only the decay in a gradient": ("self.dw = self.u.T @ du + 2", "self.dw = 2", 40),
}


@pytest.mark.parametrize("name", EDITS)
def test_the_faulty_line_is_named_and_mended(name, checked):
    before, after, line = EDITS[name]
    head, tail = LAYERS.rsplit(before, 1)
    [finding] = [f for f in checked(head + after + tail).findings if f.severity == "error"]
    assert finding.line == line
    assert "verified" in [e.status for e in finding.explanations]


def test_nothing_is_said_of_the_right_program(checked):
    assert not checked(LAYERS).findings


NORMED = """\
import numpy as np

rng = np.random.default_rng(31)
rows, want = rng.normal(size=(10, 3)), rng.normal(size=(10, 2))
W, gain, V = rng.normal(size=(3, 6)) * 0.5, 1 + 0.1 * rng.normal(size=6), rng.normal(size=(6, 2)) * 0.5
pace = 0.05
for lap in range(12):
    z = rows @ W
    inv = 1 / np.sqrt(z.var(1, keepdims=True) + 1e-5)
    unit = (z - z.mean(1, keepdims=True)) * inv
    act = np.tanh(unit * gain)
    loss = np.sum((act @ V - want) ** 2) / 10
    d_end = 2 * (act @ V - want) / 10
    d_act = d_end @ V.T * (1 - act**2)
    d_unit = d_act * gain
    core = d_unit - d_unit.mean(1, keepdims=True)
    core = core - unit * np.mean(d_unit * unit, axis=1, keepdims=True)
    d_z = inv * core
    V -= pace * act.T @ d_end
    gain -= pace * (d_act * unit).sum(0)
    W -= pace * rows.T @ d_z
"""


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("core = d_unit - d_unit.mean(1, keepdims=True)", "core = d_unit", 16),
        ("V -= pace * act.T @ d_end", "V -= pace * act[:6, :2]", 19),
    ],
)
def test_where_a_line_only_renames_and_where_an_update_takes_a_forward_value(before, after, line, checked):
    found = checked(NORMED.replace(before, after)).findings
    assert [f.line for f in found if f.severity == "error"] == [line]
