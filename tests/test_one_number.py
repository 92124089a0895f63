"""One sample a step and one output: all functions of it have parallel gradients, so what is printed proves little."""

from __future__ import annotations

import pytest

TRAINING = """
import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(40, 4))
T = (X[:, 0] * X[:, 1] > 0) * 1.0
V, w = rng.normal(0, 0.5, (4, 3)), rng.normal(0, 0.5, 3)
rate = 0.1
seen = np.array([])
total = 0.0


def squash(v):
    return 1 / (1 + np.exp(-v))


for x, t in zip(X, T):
    h = squash(x @ V)
    o = squash(h @ w)
    LOOKED_AT
    delta = (t - o) * o * (1 - o)
    dh = delta * w * h * (1 - h)
    w += rate * delta * h
    V += rate * np.outer(x, dh)
print(seen, total)
"""

LOOKED_AT = {
    "a list of differences": "seen = np.append(seen, t - o)",
    "a sum of absolute values": "total += abs(t - o)",
    "percent": "mape = 100 * abs(t - o) / (t + 1)",
    "a bounded score": "score = np.exp(-(t - o) ** 2)",
    "roots of squares": "err = np.sqrt((t - o) ** 2); total += err",
    "squares": "error = (t - o) ** 2",
}


@pytest.mark.parametrize("looked_at", LOOKED_AT.values(), ids=LOOKED_AT)
def test_right(looked_at, checked):
    report = checked(TRAINING.replace("LOOKED_AT", looked_at))
    assert not [f for f in report.findings if f.severity == "error"]
    assert {c.tensor: c.verdict for c in report.checked if c.tensor in "Vw"} == {"V": "right", "w": "right"}


@pytest.mark.parametrize("looked_at", LOOKED_AT.values(), ids=LOOKED_AT)
@pytest.mark.parametrize(
    ("was", "now", "line"), [("w * h * (1 - h)", "w * (1 - h)", 22), ("np.outer(x, dh)", "np.outer(x, h * dh)", 24)]
)
def test_wrong(looked_at, was, now, line, proven):
    assert proven(TRAINING.replace("LOOKED_AT", looked_at).replace(was, now)) == [line]


def test_a_squared_error_is_held_against_its_gradients(proven):
    """Lacking its own derivative the step fits a cross-entropy; the number that is printed is a squared error all the same."""
    source = TRAINING.replace("LOOKED_AT", "error = 0.5 * (t - o) ** 2")
    assert proven(source) == []
    assert proven(source.replace("(t - o) * o * (1 - o)", "t - o")) == [21]


@pytest.mark.parametrize("rate", ["(rate * h).reshape(3, 1) * delta", "delta * (rate * h).reshape(3, 1)"])
def test_the_rate_may_be_inside_an_array_that_is_laid_out_anew(rate, checked):
    source = TRAINING.replace("LOOKED_AT", "pass").replace("rng.normal(0, 0.5, 3)", "rng.normal(0, 0.5, (3, 1))")
    source = source.replace("delta * w * h", "delta * w[:, 0] * h").replace("rate * delta * h", rate)
    report = checked(source)
    assert not report.findings and {c.verdict for c in report.checked} == {"right"}
    wrong = checked(source.replace("(rate * h)", "(rate * (1 - h))"))
    assert [f.line for f in wrong.findings if f.severity == "error"] == [23]
