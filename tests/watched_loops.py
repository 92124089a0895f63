"""Parts of training loops for the tests of `watch_updates`: data, a net, its gradients, steps, and what was found."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

INPUTS, HIDDEN, OUTPUTS, SAMPLES = 5, 6, 3, 24


def data(dtype=float):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((SAMPLES, INPUTS))
    y = np.tanh(x @ rng.standard_normal((INPUTS, OUTPUTS)))
    return x.astype(dtype), y.astype(dtype)


def start(dtype=float, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "W1": (0.5 * rng.standard_normal((INPUTS, HIDDEN))).astype(dtype),
        "b1": np.zeros((1, HIDDEN), dtype),
        "W2": (0.5 * rng.standard_normal((HIDDEN, OUTPUTS))).astype(dtype),
        "b2": np.zeros((1, OUTPUTS), dtype),
    }


ACTIVATIONS = {
    "tanh": (np.tanh, lambda h: 1 - h**2),
    "relu": (lambda z: np.maximum(z, 0), lambda h: (h > 0).astype(h.dtype)),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda h: h * (1 - h)),
}


def gradients(p, x, y, kind="tanh"):
    f, slope = ACTIVATIONS[kind]
    h = f(x @ p["W1"] + p["b1"])
    e = (h @ p["W2"] + p["b2"] - y) / np.asarray(len(x), x.dtype)
    dz = (e @ p["W2"].T) * slope(h)
    return {
        "dW1": x.T @ dz,
        "db1": dz.sum(0, keepdims=True),
        "dW2": h.T @ e,
        "db2": e.sum(0, keepdims=True),
    }


def loss_of(p, x, y, kind="tanh"):
    h = ACTIVATIONS[kind][0](x @ p["W1"] + p["b1"])
    return float(((h @ p["W2"] + p["b2"] - y) ** 2).sum() / 2 / len(x))


def descend(p, g, lr=0.1):
    for key in p:
        p[key] -= lr * g["d" + key]


def line_of(text):
    """The line of the test's file that holds `text` and the mark `# here`."""
    rows = Path(sys._getframe(1).f_code.co_filename).read_text().splitlines()
    found = [n for n, row in enumerate(rows, 1) if text in row and row.rstrip().endswith("# here")]
    assert len(found) == 1, found
    return found[0]


def codes(watch):
    return [f.code for f in watch.findings]


def alarms(watch):
    return [f for f in watch.findings if f.severity != "note"]
