"""What an update keeps for itself, as a momentum, is no parameter: it may begin as a plain 0 and take any shape."""

from __future__ import annotations

import pytest

import backpropdoctor as bd
from backpropdoctor.scripts import check_script

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


GROWN = """
import numpy as np

rng = np.random.default_rng(7)
x, t = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
V, K, c = rng.normal(size=(3, 2)), rng.normal(size=(4, 2)), np.zeros(2)
for turn in range(6):
    q = K.mean(axis=0)
    q = q + x @ V
    out = np.zeros(2)
    out = out + q
    out = out + c
    loss = ((out - t) ** 2).sum() / 2
    back = -t
    back = back + out
    fresh = np.ones((1, 2)) * 0
    fresh = fresh + back
    V = V - 0.02 * x.T @ fresh
    K = K - 0.02 * np.ones((4, 1)) * back.sum(axis=0) / 4
    c = c - 0.02 * back.sum(axis=0)
"""


@pytest.mark.parametrize("broken", [False, True])
def test_a_value_that_each_step_makes_anew_may_grow(tmp_path, broken):
    """Only what outlives its step drifts: a bias, and no output or cotangent that is summed up from a smaller one."""
    path = tmp_path / "grown.py"
    path.write_text(GROWN.replace("c - 0.02 * back.sum(axis=0)", "c - 0.02 * back") if broken else GROWN)
    assert [f.tensors for f in check_script(str(path)).findings if f.severity == "error"] == [("c",)] * broken


WALK = """
import math, random

random.seed(3)
inner = [random.uniform(-0.5, 0.5) for _ in range(3)]
outer = [random.uniform(-0.5, 0.5) for _ in range(3)]


def worth(x):
    h = [math.tanh(w * x) for w in inner]
    return sum(o * k for o, k in zip(outer, h)), h


for walk in range(4):
    x, total = random.uniform(-1, 1), 0
    for turn in range(4):
        x2 = x + random.uniform(-0.3, 0.3)
        v, h = worth(x)
        far, _ = worth(x2)
        miss = v - math.sin(x)
        total += 0.5 * miss**2
        for i in range(3):
            g_outer = miss * h[i]
            g_inner = miss * outer[i] * (1 - h[i] ** 2) * x
            outer[i] -= 0.05 * g_outer
            inner[i] -= 0.05 * g_inner
        x = x2
    print(total)
"""


@pytest.mark.parametrize(("now", "wrong"), [("(1 - h[i] ** 2)", ()), ("(1 - h[i])", ("inner",))])
def test_what_no_parameter_moves_is_no_state_of_an_optimiser(now, wrong, tmp_path):
    """The place of a random walk outlives a step as a momentum does; gradients that are made of it are gradients."""
    path = tmp_path / "walk.py"
    path.write_text(WALK.replace("(1 - h[i] ** 2)", now))
    report = check_script(str(path), pictures=False)
    assert tuple(c.tensor for c in report.checked if c.verdict in ("wrong", "inherited")) == wrong
    assert {"inner", "outer"} <= {c.tensor for c in report.checked}
