"""Two trainings that take turns in one step, each under its own loss: both are examined, and each is blamed by itself."""

from __future__ import annotations

import pytest

TURNS = """
import numpy as np

rng = np.random.default_rng(9)
true_x = rng.normal(1.0, 0.4, (24, 2))
critic = {"K": rng.normal(0, 0.4, (2, 5)), "k": rng.normal(0, 0.4, 5)}
maker = {"M": rng.normal(0, 0.4, (3, 2))}


def judge(x):
    h = np.tanh(x @ critic["K"])
    return 1 / (1 + np.exp(-h @ critic["k"])), h


def pull(x, h, d):
    dh = np.outer(d, critic["k"]) * (1 - h**2)
    return {"K": x.T @ dh, "k": h.T @ d}, dh @ critic["K"].T


for turn in range(6):
    z = rng.normal(size=(24, 3))
    made = z @ maker["M"]
    p, hp = judge(true_x)
    q, hq = judge(made)
    critic_loss = -np.log(p).mean() - np.log(1 - q).mean()
    one, _ = pull(true_x, hp, (p - 1) / 24)
    two, _ = pull(made, hq, q / 24)
    for name in critic:
        critic[name] = critic[name] - 0.2 * (one[name] + two[name])
    made = z @ maker["M"]
    q, hq = judge(made)
    maker_loss = -np.log(q).mean()
    _, dx = pull(made, hq, (q - 1) / 24)
    dM = z.T @ dx
    maker["M"] = maker["M"] - 0.2 * dM
    print(critic_loss, maker_loss)
"""


def test_both_are_right(checked):
    report = checked(TURNS)
    assert report.ok and not report.incomplete
    names = {c.tensor for c in report.checked if c.verdict == "right"}
    assert {"critic['K']", "critic['k']", "maker['M']"} <= names


@pytest.mark.parametrize(
    ("was", "now", "line", "tensors"),
    [
        ("hq, q / 24)", "hq, (q - 1) / 24)", 27, {"critic['K']", "critic['k']"}),
        ("z.T @ dx", "np.abs(z).T @ dx", 34, {"maker['M']"}),
    ],
    ids=["first", "second"],
)
def test_the_wrong_one_is_blamed(checked, was, now, line, tensors):
    report = checked(TURNS.replace(was, now))
    assert [f.line for f in report.findings if f.severity == "error"] == [line]
    wrong = {c.tensor for c in report.checked if c.verdict in ("wrong", "inherited")}
    assert wrong == tensors


ROWS = """
import numpy as np

rng = np.random.default_rng(4)
A, B = rng.normal(0, 0.5, (2, 5)), rng.normal(0, 0.5, (5, 2))
K, q = rng.normal(0, 0.4, (2, 6)), rng.normal(0, 0.4, (6, 1))
truth = rng.normal(size=(90, 2)) * 0.3 + 1
for turn in range(8):
    for _ in range(2):
        seen = truth[rng.choice(90, 12)]
        made = np.tanh(rng.normal(size=(12, 2)) @ A) @ B
        hs, hm = np.maximum(seen @ K, 0), np.maximum(made @ K, 0)
        critic_loss = np.mean(hm @ q) - np.mean(hs @ q)
        up = np.ones((12, 1)) / 12
        dq = hm.T @ up - hs.T @ up
        dK = made.T @ (up @ q.T * (hm > 0)) - seen.T @ (up @ q.T * (hs > 0))
        K -= 0.05 * dK; q -= 0.05 * dq
        K = np.clip(K, -0.5, 0.5)
    z = rng.normal(size=(12, 2))
    t = np.tanh(z @ A)
    hm = np.maximum(t @ B @ K, 0)
    maker_loss = -np.mean(hm @ q)
    dx = (-up @ q.T * (hm > 0)) @ K.T
    dB = t.T @ dx
    dA = z.T @ (dx @ B.T * (1 - t**2))
    A -= 0.05 * dA
    B -= 0.05 * dB
"""


def test_one_player_may_take_several_turns_in_a_row(checked):
    report = checked(ROWS)
    assert not report.findings
    assert {"A", "B", "K", "q"} <= {c.tensor for c in report.checked if c.verdict == "right"}


@pytest.mark.parametrize(
    ("was", "now", "line"),
    [("dx = (-up @ q.T * (hm > 0))", "dx = (-up @ q.T)", 23), ("dq = hm.T @ up -", "dq = hm.T @ up +", 15)],
)
def test_the_player_that_is_wrong_is_named(was, now, line, proven):
    assert proven(ROWS.replace(was, now)) == [line]
