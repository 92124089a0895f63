"""Small numbers that guard a logarithm, a quotient or a root: gradients without them are right, and so are exact ones."""

from __future__ import annotations

import pytest

PLAIN = """
import numpy as np

rng = np.random.default_rng(1)
K, c = rng.normal(0, 2.0, (3, 6)), np.zeros(6)
q, e = rng.normal(0, 2.0, (6, 1)), np.zeros(1)
x = rng.normal(size=(40, 3))
y = (x[:, :1] * x[:, 1:2] > 0) * 1.0
tiny = 1e-7
for turn in range(6):
    z = x @ K + c
    h = np.tanh(z)
    p = 1 / (1 + np.exp(-(h @ q + e)))
    loss = -np.mean(y * np.log(p + tiny) + (1 - y) * np.log(1 - p + tiny))
    d = (p - y) / 40
    dq, de = h.T @ d, d.sum(axis=0)
    dz = (d @ q.T) * (1 - h**2)
    dK, dc = x.T @ dz, dz.sum(axis=0)
    K -= 0.5 * dK
    c -= 0.5 * dc
    q -= 0.5 * dq
    e -= 0.5 * de
"""

EXACT = PLAIN.replace("d = (p - y) / 40", "d = ((1 - y) / (1 - p + tiny) - y / (p + tiny)) * p * (1 - p) / 40")

# scaled by a deviation with a number of its own, which the backward pass knows, before a logarithm, of which it does not
SCALED = """
import numpy as np

rng = np.random.default_rng(2)
K, g = rng.normal(0, 0.5, (3, 4)), np.ones(4)
x, kind = rng.normal(size=(30, 3)), rng.integers(4, size=30)
for turn in range(6):
    u = x @ K
    off = u - u.mean(axis=0)
    s = np.sqrt(np.mean(off**2, axis=0) + 1e-4)
    n = off / s
    e = np.exp(3 * n * g)
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[np.arange(30), kind] + 1e-5))
    dz = p.copy()
    dz[np.arange(30), kind] -= 1
    dz = 3 * dz / 30
    dg = (dz * n).sum(axis=0)
    dn = dz * g
    du = (dn - dn.mean(axis=0) - n * (dn * n).mean(axis=0)) / s
    dK = x.T @ du
    K -= 0.1 * dK
    g -= 0.1 * dg
"""


@pytest.mark.parametrize("tiny", ["1e-12", "1e-8", "1e-6", "1e-5", "1e-4"])
@pytest.mark.parametrize("source", [PLAIN, EXACT], ids=["left out", "exact"])
def test_a_guard_that_the_gradient_leaves_out_is_no_fault(source, tiny, checked):
    report = checked(source.replace("1e-7", tiny))
    assert not report.findings
    assert all(c.verdict == "right" for c in report.checked)


def test_which_number_is_left_out_is_said(checked):
    notes = checked(PLAIN).notes
    assert any("`p + tiny` (line 14)" in note for note in notes), notes
    assert not any("tiny" in note for note in checked(EXACT.replace("1e-7", "1e-5")).notes)


def test_of_two_guards_one_may_be_left_out(checked):
    report = checked(SCALED)
    assert not report.findings
    assert all(c.verdict == "right" for c in report.checked)


@pytest.mark.parametrize(
    ("source", "was", "now", "line"),
    [
        (PLAIN, "(1 - h**2)", "(1 - h)", 17),
        (PLAIN, "dq, de = h.T @ d", "dq, de = z.T @ d", 16),
        (PLAIN, "d = (p - y) / 40", "d = (p - y) * p / 40", 15),
        (EXACT, "(1 - h**2)", "(1 - h)", 17),
        (SCALED, "dn = dz * g", "dn = dz", 19),
    ],
)
def test_a_fault_beside_a_guard_is_named(source, was, now, line, proven):
    assert proven(source.replace(was, now)) == [line]


PIXELS = """
import numpy as np

rng = np.random.default_rng(0)
x = rng.integers(0, 256, (60, 12)).astype(float)
y = (x[:, :1] > 128) * 1.0
w, b = rng.normal(0, 0.05, (12, 1)), 0.0
for turn in range(6):
    a = 1 / (1 + np.exp(-(x @ w + b)))
    cost = -np.mean(y * np.log(np.maximum(a, 1e-12)) + (1 - y) * np.log(np.maximum(1 - a, 1e-12)))
    dz = (a - y) / 60
    dw, db = x.T @ dz, dz.sum()
    w -= 0.01 * dw
    b -= 0.01 * db
"""


def test_where_a_clip_binds_the_gradient_without_it_is_no_fault(proven):
    assert proven(PIXELS) == []
    assert proven(PIXELS.replace("dz.sum()", "dz.mean()")) == [12]
