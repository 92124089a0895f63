"""Faults of the forward pass behind a right backward pass: an axis left out, a variable that takes another one's place."""

from __future__ import annotations

import pytest

import backpropdoctor as bd
from backpropdoctor.edits import apply_fixes

SCRIPT = """\
import numpy as np

rng = np.random.default_rng(2)
fruit, kinds = rng.normal(size=(30, 4)), np.eye(3)[rng.integers(0, 3, 30)]
u, p = rng.normal(size=(4, 5)), np.zeros(5)
v, q = rng.normal(size=(5, 5)), np.zeros(5)
w, r = rng.normal(size=(5, 3)), np.zeros(3)

for week in range(20):
    skin = fruit @ u + p
    peel = np.tanh(skin)
    pulp = peel @ v + q
    core = np.tanh(pulp)
    seed = core @ w + r
    raw = np.exp(seed - seed.max(axis=1, keepdims=True))
    share = raw / raw.sum(axis=1, keepdims=True)
    loss = -np.mean(np.sum(kinds * np.log(share), axis=1))

    d_seed = (share - kinds) / len(fruit)
    d_w = core.T @ d_seed
    d_r = d_seed.sum(axis=0)
    d_pulp = d_seed @ w.T * (1 - core**2)
    d_v = peel.T @ d_pulp
    d_q = d_pulp.sum(axis=0)
    d_skin = d_pulp @ v.T * (1 - peel**2)
    d_u = fruit.T @ d_skin
    d_p = d_skin.sum(axis=0)

    u -= 0.1 * d_u
    p -= 0.1 * d_p
    v -= 0.1 * d_v
    q -= 0.1 * d_q
    w -= 0.1 * d_w
    r -= 0.1 * d_r
"""


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("raw.sum(axis=1, keepdims=True)", "raw.sum(keepdims=True)", "BD121"),
        ("raw.sum(axis=1, keepdims=True)", "raw.sum(axis=0, keepdims=True)", "BD121"),
        ("peel @ v + q", "peel @ v + p", "BD112"),
        ("core = np.tanh(pulp)", "core = np.tanh(skin)", "BD112"),
    ],
)
def test_the_forward_statement_is_named_and_mended(before, after, code, tmp_path):
    assert SCRIPT.count(before) == 1
    path = tmp_path / "market.py"
    path.write_text(SCRIPT.replace(before, after))
    (found,) = [f for f in bd.check(str(path)).findings if f.severity == "error"]
    assert (found.code, found.line) == (code, SCRIPT[: SCRIPT.index(before)].count("\n") + 1)
    assert found.explanations[0].status == "verified"
    path.write_text(apply_fixes(SCRIPT.replace(before, after), found.fixes))
    assert bd.check(str(path)).ok


def test_a_simpler_edit_of_the_backward_pass_wins(tmp_path):
    path = tmp_path / "market.py"
    path.write_text(SCRIPT.replace("d_v = peel.T @ d_pulp", "d_v = core.T @ d_pulp"))
    (found,) = [f for f in bd.check(str(path)).findings if f.severity == "error"]
    assert found.fix is not None and (found.fix.before, found.fix.after) == ("core", "peel")


ROAD = """\
import numpy as np

rng = np.random.default_rng(7)
miles = rng.normal(size=(9, 3))
late = (miles[:, 0] + miles[:, 1] > 0) * 1.0
k, b = rng.normal(0, 0.3, (3, 1)), 0.0


def cost_of(truth, guess):
    return -np.mean(truth * np.log(guess) + (1 - truth) * np.log(1 - guess))


for day in range(8):
    guess = 1 / (1 + np.exp(-(miles @ k + b)))
    cost = cost_of(COLUMN, guess)
    d = (guess - late.reshape(-1, 1)) / 9
    k -= 0.1 * miles.T @ d
    b -= 0.1 * d.sum()
"""


def test_a_vector_beside_a_column_in_the_loss_is_named_there(checked):
    assert checked(ROAD.replace("COLUMN", "late[:, None]")).ok
    (found,) = [f for f in checked(ROAD.replace("COLUMN", "late")).findings if f.severity == "error"]
    assert (found.code, found.line) == ("BD111", 10) and found.explanations[0].status == "verified"
    assert {(f.before, f.after) for f in found.fixes} == {("truth", "truth.reshape(-1, 1)")} and len(found.fixes) == 2
