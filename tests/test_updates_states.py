"""What an update keeps for itself, as a momentum, is no parameter: it may begin as a plain 0 and take any shape."""

from __future__ import annotations

import pytest

import backpropdoctor as bd

SCRIPT = """
import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(12, 3))
t = x @ rng.normal(size=(3, 1)) + 0.5
layer = {"W": rng.normal(size=(3, 1)), "b": 0.0, "vW": 0, "vb": 0.0}
for step in range(6):
    r = x @ layer["W"] + layer["b"] - t
    loss = (r**2).mean()
    g = {"W": 2 * x.T @ r / r.size, "b": 2 * r.sum() / r.size}
    for k in ("W", "b"):
        layer["v" + k] = 0.9 * layer["v" + k] + 0.1 * g[k]
        layer[k] = layer[k] - 0.1 * layer["v" + k]
print(loss)
"""


@pytest.fixture
def codes(tmp_path, capsys):
    def run(text):
        path = tmp_path / "train.py"
        path.write_text(text)
        return [(f.code, f.tensors, f.help) for f in bd.check(str(path)).findings if f.severity == "error"]

    return run


def test_a_momentum_that_begins_as_a_number_takes_the_shape_of_its_gradient(codes):
    assert codes(SCRIPT) == []


def test_a_bias_that_begins_as_a_number_does_not(codes):
    plain = SCRIPT.replace('0.1 * layer["v" + k]\n', "0.1 * g[k]\n").replace("2 * r.sum() / r.size", "2 * r / r.size")
    ((code, tensors, advice),) = codes(plain)
    assert (code, tensors) == ("BD310", ("layer['b']",))
    assert "a sum over the samples" in advice
