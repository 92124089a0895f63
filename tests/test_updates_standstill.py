"""A training that stands still in saturated units is told so, with what puts them there; one that fits its data is not."""

from __future__ import annotations

import textwrap

import pytest

import backpropdoctor as bd

LOGISTIC = """
import numpy as np

rng = np.random.default_rng(0)
pixels = rng.integers(0, 256, (60, 12)).astype(float)
y = (pixels[:, :1] > 128) * 1.0
w, b = rng.normal(0, 0.05, (12, 1)), 0.0
{before}
for turn in range(30):
    a = 1 / (1 + np.exp(-(pixels @ w + b)))
    cost = np.mean((a - y) ** 2)
    dz = 2 * (a - y) * a * (1 - a) / 60
    w -= 0.01 * pixels.T @ dz
    b -= 0.01 * dz.sum()
"""

SOFTMAX = """
import numpy as np

rng = np.random.default_rng(1)
X = rng.normal(size=(90, 6))
labels = X[:, :3].argmax(axis=1)
Y = np.eye(3)[labels]
V = {weights}

def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

for turn in range(30):
    P = softmax(X @ V)
    brier = np.mean((P - Y) ** 2)
    g = 2 * (P - Y) / P.size
    V -= 0.1 * X.T @ (P * (g - (g * P).sum(axis=1, keepdims=True)))
"""


def findings(tmp_path, source):
    path = tmp_path / "train.py"
    path.write_text(textwrap.dedent(source))
    lines = path.read_text().splitlines()
    return [(f, lines[(f.line or 1) - 1].strip()) for f in bd.check(str(path)).findings if f.severity != "note"]


def test_inputs_that_are_not_scaled_are_named(tmp_path):
    [(finding, line)] = findings(tmp_path, LOGISTIC.format(before=""))
    assert (finding.code, finding.severity) == ("BD313", "warning")
    assert line == "a = 1 / (1 + np.exp(-(pixels @ w + b)))"
    assert "`pixels` goes up to 255" in finding.explanations[0].text
    assert "divide `pixels` by 255" in finding.help


def test_scaled_inputs_are_right(tmp_path):
    assert findings(tmp_path, LOGISTIC.format(before="pixels /= 255")) == []


def test_large_weights_are_named_at_the_softmax(tmp_path):
    [(finding, line)] = findings(tmp_path, SOFTMAX.format(weights="3e4 * rng.normal(size=(6, 3))"))
    assert finding.code == "BD313"
    assert line == "return e / e.sum(axis=1, keepdims=True)"
    assert "smaller weights" in finding.help


@pytest.mark.parametrize("weights", ["3e4 * np.eye(6, 3)", "0.1 * rng.normal(size=(6, 3))"])
def test_a_model_that_fits_its_data_or_learns_is_right(tmp_path, weights):
    assert findings(tmp_path, SOFTMAX.format(weights=weights)) == []


def test_a_model_at_its_exact_limits_that_fits_its_data_is_right(tmp_path):
    fitted = LOGISTIC.format(before="w[:] = 0\nw[0] = 400\nb = -400 * 128.5")
    assert findings(tmp_path, fitted) == []
