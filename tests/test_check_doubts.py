"""Where one look does not tell: kinks at the point itself, code in float32 whatever it is given, and what it costs."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import backpropdoctor as bd
from benchmarks.nets import FAULTS, mlp, random_net

MOST = 60  # evaluations of 4 blocks


def faulty(net, name, fault):
    def gradient(params):
        found = net.gradient(params)
        return {**found, name: fault(found[name])}

    return gradient


def relu_at_kinks(real=False):
    """A ReLU layer with zero biases and empty samples: its units sit exactly on their kinks."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((12, 5))
    x[::2] = 0
    params = {
        "W1": rng.standard_normal((5, 7)),
        "b1": np.zeros(7),
        "W2": rng.standard_normal((7, 2)),
        "b2": np.zeros(2),
    }

    def loss(p):
        value = np.sum(np.sin(np.maximum(x @ p["W1"] + p["b1"], 0) @ p["W2"] + p["b2"] + 0.3))
        return float(value) if real else value

    def gradient(p):
        z = x @ p["W1"] + p["b1"]
        h = np.maximum(z, 0)
        d = np.cos(h @ p["W2"] + p["b2"] + 0.3)
        dz = d @ p["W2"].T * (z > 0)
        return {"W1": x.T @ dz, "b1": dz.sum(axis=0), "W2": h.T @ d, "b2": d.sum(axis=0)}

    return loss, gradient, params


@pytest.mark.parametrize("real", [False, True], ids=["complex", "real"])
def test_kinks_at_the_point_itself(real):
    loss, gradient, params = relu_at_kinks(real)
    report = bd.check_gradient(loss, gradient, params)
    assert report.ok and report.cost.evaluations <= MOST + 6  # a second look beside the kinks
    beside = [c.tensor for c in report.checked if "point" in c.evidence]
    assert beside == ["b1"]
    for name in params:
        for factor in (1.000001, 1.1, -1.0, 0.0):
            report = bd.check_gradient(loss, lambda p, n=name, f=factor: {**gradient(p), n: f * gradient(p)[n]}, params)
            assert report.wrong == (name,), (name, factor)


@pytest.mark.parametrize("key", [300002, 300008, 300038, 300083])
def test_code_in_float32_with_kinks_accuses_the_faulty_block_only(key):
    net = random_net(key, "relu", np.float32)
    assert net.style == "cast"
    assert not bd.check_gradient(net.loss, net.gradient, net.params, seed=key).wrong
    for name in ("W0", "b0"):
        for fault in FAULTS.values():
            report = bd.check_gradient(net.loss, faulty(net, name, fault), net.params, seed=key)
            assert report.wrong == (name,)


def test_a_constant_rounded_to_a_narrow_type_is_no_fault():
    rng = np.random.default_rng(0)
    w, x, y = (rng.standard_normal(s).astype(np.float16) for s in ((6, 3), (8, 6), (8, 3)))

    def gradient(factor):
        return lambda p: x.T @ (x @ p - y) * np.float16(factor)

    def loss(p):
        return ((x @ p - y) ** 2).mean()

    assert bd.check_gradient(loss, gradient(2 / 24), w).ok
    assert bd.check_gradient(loss, gradient(2.05 / 24), w).wrong == ("params",)


@pytest.mark.parametrize("real", [False, True], ids=["complex", "real"])
@pytest.mark.parametrize("sizes", [(64, 20, 10), (784, 100, 10)], ids=str)
def test_what_a_check_of_four_blocks_costs(sizes, real):
    net = mlp(sizes, 8)
    calls = []

    def loss(p):
        calls.append(1)
        return float(net.loss(p)) if real else net.loss(p)

    assert bd.check_gradient(loss, net.gradient, net.params).ok and len(calls) <= MOST
    for fault in FAULTS.values():
        calls.clear()
        report = bd.check_gradient(loss, lambda p, f=fault: {k: f(g) for k, g in net.gradient(p).items()}, net.params)
        assert len(report.wrong) == 4 and len(calls) <= MOST
    calls.clear()

    index = net.params["W0"].size // 3

    def one_element(g):
        g = g.copy()
        g.flat[index] *= 1.5
        return g

    report = bd.check_gradient(loss, faulty(net, "W0", one_element), net.params)
    wrong = next(c for c in report.checked if c.verdict == "wrong")
    row, column = np.unravel_index(index, net.params["W0"].shape)
    assert wrong.where == f"element ({row}, {column})"
    assert len(calls) <= MOST + 2 * math.log2(net.params["W0"].size)
    assert report.cost.evaluations == len(calls)


def test_one_accusation_a_few_bars_strong_is_no_verdict():
    """A right network whose first direction along `W2` is off by 6 bars, by kinks: no other direction says so."""
    net = random_net(101064, "relu", np.float64).scaled(1e6)
    assert not bd.check_gradient(net.loss, net.gradient, net.params, seed=101064).wrong
    wrong = faulty(net, "W2", lambda g: g * 1.000001)
    assert bd.check_gradient(net.loss, wrong, net.params, seed=101064).wrong == ("W2",)
