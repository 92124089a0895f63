"""Backward passes that go on with what is no cotangent: sums that read themselves, calls that get a forward value."""

from __future__ import annotations

import pytest

ECHO = """\
import numpy as np
dice = np.random.default_rng(41)
steps, many, wide = 4, 3, 3
pulses = dice.normal(size=(steps, many, 2))
echo = dice.normal(size=(many, wide))
A, B = dice.normal(size=(2, wide)) * 0.4, dice.normal(size=(wide, wide)) * 0.4
pace = 0.05
for lap in range(10):
    memory = [np.zeros((many, wide))]
    for k in range(steps):
        memory.append(np.tanh(pulses[k] @ A + memory[-1] @ B))
    error = memory[-1] - echo
    cost = 0.5 * np.sum(error ** 2)
    slope_A, slope_B, back = np.zeros_like(A), np.zeros_like(B), error
    for k in range(steps)[::-1]:
        inner = back * (1 - memory[k + 1] ** 2)
        slope_A += pulses[k].T @ inner
        slope_B += memory[k].T @ {taken}
        back = inner @ B.T
    A -= pace * slope_A
    B -= pace * slope_B
"""

CALLED = """\
import numpy as np
dice = np.random.default_rng(8)

class Blend:
    def __init__(self, size):
        self.M, self.S = dice.normal(size=(size, size)), dice.normal(size=(size, size))

    def ahead(self, seen):
        self.seen, self.hidden = seen, np.tanh(seen @ self.M)
        return self.hidden @ self.S

    def back(self, slope, pace):
        step = self.hidden.T @ slope
        inner = (slope @ self.S.T) * (1 - self.hidden ** 2)
        self.M -= pace * self.seen.T @ inner
        self.S -= pace * step

seen = dice.normal(size=(9, 4))
goal = np.cos(seen)
blend = Blend(4)
for lap in range(10):
    guess = blend.ahead(seen)
    cost = np.mean((guess - goal) ** 2)
    slope = 2 * (guess - goal) / goal.size
    blend.back({handed}, 0.1)
"""

POOLED = """\
import numpy as np
dice = np.random.default_rng(5)
rows, spots, wide = 5, 6, 4
scene = dice.normal(size=(rows, spots, 3))
goal = dice.normal(size=(rows, 1))
A, B = dice.normal(size=(3, wide)), dice.normal(size=(wide, 1))
pace = 0.05
for lap in range(10):
    field = np.tanh(scene @ A)
    pooled = field.mean(axis=1)
    guess = pooled @ B
    cost = np.mean((guess - goal) ** 2)
    d_guess = 2 * (guess - goal) / goal.size
    d_pooled = d_guess @ B.T
    d_field = np.ones_like(field) {handed} / spots
    d_inner = d_field * (1 - field ** 2)
    slope_A = np.einsum("rsi,rsj->ij", scene, d_inner)
    A -= pace * slope_A
    B -= pace * pooled.T @ d_guess
"""

SQUARE = """\
import numpy as np
dice = np.random.default_rng(2)
seen = dice.normal(size=(4, 4))
goal = np.sin(seen)
A, B = dice.normal(size=(4, 4)), dice.normal(size=(4, 4))
pace = 0.1
for lap in range(10):
    inner = np.tanh(seen @ A)
    guess = inner @ B
    cost = np.mean((guess - goal) ** 2)
    slope = 2 * ({guess} - goal) / goal.size
    slope_B = inner.T @ slope
    slope_A = seen.T @ ((slope @ B.T) * (1 - inner ** 2))
    A -= pace * slope_A
    B -= pace * slope_B
"""

CHANCE = """\
import numpy as np
dice = np.random.default_rng(13)
seen = dice.normal(size=(12, 3))
goal = (seen[:, :1] > 0) * 1.0
A, a, B, b = dice.normal(size=(3, 4)), np.zeros(4), dice.normal(size=(4, 1)), np.zeros(1)
pace = 0.3
for lap in range(10):
    inner = np.tanh(seen @ A + a)
    score = inner @ B + b
    chance = 1 / (1 + np.exp(-score))
    cost = -np.mean(goal * np.log(chance) + (1 - goal) * np.log(1 - chance))
    slope = (chance - {target}) / len(seen)
    slope_B, slope_b = inner.T @ slope, slope.sum(axis=0)
    slope = (slope @ B.T) * (1 - inner ** 2)
    A -= pace * seen.T @ slope
    a -= pace * slope.sum(axis=0)
    B -= pace * slope_B
    b {step}
"""

CASES = [
    (ECHO, {"taken": "inner"}, {"taken": "slope_B"}, 18),
    (CALLED, {"handed": "slope"}, {"handed": "guess"}, 25),
    (POOLED, {"handed": "* d_pooled[:, None, :]"}, {"handed": ""}, 15),
    (SQUARE, {"guess": "guess"}, {"guess": "B"}, 11),
    (CHANCE, {"target": "goal", "step": "-= pace * slope_b"}, {"target": "score", "step": "-= pace * slope_b"}, 12),
    (CHANCE, {"target": "goal", "step": "-= pace * slope_b"}, {"target": "goal", "step": "-= pace * b"}, 18),
    (CHANCE, {"target": "goal", "step": "-= pace * slope_b"}, {"target": "goal", "step": "+= slope_b"}, 18),
]


@pytest.mark.parametrize(("source", "right", "wrong", "line"), CASES)
def test_what_is_no_cotangent_is_blamed_where_it_is_taken_for_one(checked, source, right, wrong, line):
    [found] = [f for f in checked(source.format(**wrong)).findings if f.severity == "error"]
    assert (found.line, [e.status for e in found.explanations[:1]]) == (line, ["verified"])


@pytest.mark.parametrize(("source", "right"), [(s, r) for s, r, _, _ in CASES[:5]])
def test_the_right_ones_are_right(checked, source, right):
    assert checked(source.format(**right)).ok
