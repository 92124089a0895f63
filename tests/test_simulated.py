"""Simulations that are run once a turn: their states are made of themselves, as parameters are, and are none."""

from __future__ import annotations

SPRING = """
dt, turns = 0.1, 12

def swing(k, c):
    xs, vs = [1.0], [0.0]
    for i in range(turns):
        a = -k * xs[-1] - c * vs[-1]
        xs.append(xs[-1] + dt * vs[-1])
        vs.append(vs[-1] + dt * a)
    return xs, vs

seen, _ = swing(4.0, 0.3)
k, c = 3.0, 0.1
for attempt in range(30):
    xs, vs = swing(k, c)
    J = sum((x - s) ** 2 for x, s in zip(xs, seen)) / turns
    lx, lv = 0.0, 0.0
    gk = gc = 0.0
    for i in range(turns, 0, -1):
        lx += 2 * (xs[i] - seen[i]) / turns
        la = dt * lv
        gk -= la * xs[i - 1]
        gc -= la * vs[i - 1]
        lx, lv = lx - k * la, lv + dt * lx - c * la
    k -= 0.5 * gk
    c -= 0.05 * gc
"""


def test_right_sensitivities_are_not_accused(checked):
    assert not [f for f in checked(SPRING).findings if f.severity == "error"]
