"""What gradients are meant for beside one scalar of the script: bootstrapped targets held still, several losses at once."""

from __future__ import annotations

import pytest

VALUES = """
import numpy as np

rng = np.random.default_rng(2)
K = rng.normal(0, 0.4, (4, 5))
q = rng.normal(0, 0.4, 5)
for turn in range(6):
    now = rng.normal(size=(12, 4))
    then = now + 0.1 * rng.normal(size=(12, 4))
    reward = now[:, 0] - now[:, 1]
    f = np.tanh(now @ K)
    guess = f @ q
    goal = reward + 0.9 * (np.tanh(then @ K) @ q)
    miss = guess - goal
    loss = 0.5 * np.mean(miss**2)
    d = miss / 12
    dq = f.T @ d
    dK = now.T @ (np.outer(d, q) * (1 - f**2))
    K -= 0.1 * dK
    q -= 0.1 * dq
"""

CRITIC = """
import numpy as np

rng = np.random.default_rng(4)
P = rng.normal(0, 0.3, (3, 4))
V = rng.normal(0, 0.3, 3)
for turn in range(6):
    s, after = rng.normal(size=(9, 3)), rng.normal(size=(9, 3))
    e = np.exp(s @ P)
    p = e / e.sum(axis=1, keepdims=True)
    a = rng.integers(4, size=9)
    worth = s @ V
    goal = s[:, 0] * (a > 1) + 0.9 * (after @ V)
    better = goal - worth
    actor_loss = -np.mean(np.log(p[np.arange(9), a]) * better)
    critic_loss = 0.5 * np.mean(better**2)
    dz = p.copy()
    dz[np.arange(9), a] -= 1
    dz = dz * better[:, None] / 9
    dP = s.T @ dz
    dV = -s.T @ better / 9
    P -= 0.1 * dP
    V -= 0.1 * dV
"""

HEADS = """
import numpy as np

rng = np.random.default_rng(6)
T = rng.normal(0, 0.3, (4, 6))
A = rng.normal(0, 0.3, (6, 3))
B = rng.normal(0, 0.3, (6, 1))
x, kind, size = rng.normal(size=(20, 4)), rng.integers(3, size=20), rng.normal(size=(20, 1))
for turn in range(6):
    h = np.tanh(x @ T)
    e = np.exp(h @ A)
    p = e / e.sum(axis=1, keepdims=True)
    u = h @ B
    kind_loss = -np.mean(np.log(p[np.arange(20), kind]))
    size_loss = np.mean((u - size) ** 2)
    dz = p.copy()
    dz[np.arange(20), kind] -= 1
    dz /= 20
    du = 2 * (u - size) / 20
    dA, dB = h.T @ dz, h.T @ du
    dh = dz @ A.T + du @ B.T
    dT = x.T @ (dh * (1 - h**2))
    T, A, B = T - 0.1 * dT, A - 0.1 * dA, B - 0.1 * dB
"""

# the loss that the script makes of its two
WEIGHTED = HEADS.replace("    dz = p.copy()", "    both = kind_loss + 0.5 * size_loss\n    dz = p.copy()")


UNTOLD = "\n".join(line for line in HEADS.split("\n") if "_loss" not in line)

# nothing is printed of the loss
SILENT = VALUES.replace("    loss = 0.5 * np.mean(miss**2)\n", "")


@pytest.mark.parametrize(
    "source",
    [SILENT, UNTOLD, VALUES, CRITIC, HEADS, HEADS.replace("du = 2 *", "du =")],
    ids=["silent", "untold", "values", "critic", "heads", "half"],
)
def test_right(source, checked):
    report = checked(source)
    assert not report.findings
    assert all(c.verdict == "right" for c in report.checked) and report.checked


def test_what_is_held_still_is_said(checked):
    notes = checked(VALUES).notes
    assert any("`reward + 0.9 * (np.tanh(then @ K) @ q)` (line 13)" in note for note in notes), notes


@pytest.mark.parametrize(
    ("source", "was", "now", "line"),
    [
        (VALUES, "(1 - f**2)", "(1 - f)", 18),
        (UNTOLD, "(1 - h**2)", "(1 - h)", 20),
        (SILENT, "(1 - f**2)", "(1 - f)", 17),
        (VALUES, "dq = f.T @ d", "dq = 2 * f.T @ d", 17),
        (CRITIC, "dP = s.T", "dP = -s.T", 20),
        (HEADS, "(1 - h**2)", "(1 - h)", 22),
        (HEADS, "dz @ A.T + du @ B.T", "dz @ A.T", 21),
        (HEADS, "h.T @ du", "3 * h.T @ du", 20),
        (WEIGHTED, "kind_loss", "kind_loss", 20),
    ],
)
def test_wrong(source, was, now, line, proven):
    """A gradient that is wrong under what the others are meant for is wrong at its own line, and nothing else is."""
    assert proven(source.replace(was, now)) == [line]


def test_nothing_is_accused_of_what_another_loss_is_a_part_of(checked):
    """A loss that is known moves one head; the gradient of what both are made of is not its gradient, and no fault."""
    source = UNTOLD.replace("dz[np.arange(20), kind] -= 1", "dz[np.arange(20), kind] -= size[:, 0]")
    report = checked(source)
    assert not report.findings
    assert {c.tensor: c.verdict for c in report.checked if c.tensor in "TAB"} == {
        "T": "undecided",
        "A": "undecided",
        "B": "right",
    }
