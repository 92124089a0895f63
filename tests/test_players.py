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
