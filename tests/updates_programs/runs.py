"""Healthy training scripts by the dozen: activation, precision, optimiser, seed."""

from __future__ import annotations

TEMPLATE = """
import numpy as np

rng = np.random.default_rng({seed})
dtype = np.{dtype}
X = rng.standard_normal((24, 5)).astype(dtype)
Y = np.tanh(X[:, :2] - X[:, 1:3]).astype(dtype)
params = {{
    "W1": (0.5 * rng.standard_normal((5, 6))).astype(dtype),
    "b1": np.zeros((1, 6), dtype),
    "W2": (0.5 * rng.standard_normal((6, 2))).astype(dtype),
    "b2": np.zeros((1, 2), dtype),
}}
kept = {{k: np.zeros_like(v) for k, v in params.items()}}
square = {{k: np.zeros_like(v) for k, v in params.items()}}


def activate(z):
    return {activate}


def slope(h):
    return {slope}


for t in range(1, 31):
    rows = rng.permutation(24)[:12]
    x, y = X[rows], Y[rows]
    h = activate(x @ params["W1"] + params["b1"])
    out = h @ params["W2"] + params["b2"]
    loss = ((out - y) ** 2).sum() / (2 * len(x))
    delta = (out - y) / dtype(len(x))
    hidden = (delta @ params["W2"].T) * slope(h)
    grads = {{
        "W1": x.T @ hidden,
        "b1": hidden.sum(axis=0, keepdims=True),
        "W2": h.T @ delta,
        "b2": delta.sum(axis=0, keepdims=True),
    }}
    for k in params:
        g = grads[k]
{step}
print(float(loss))
"""

ACTIVATE = {
    "tanh": ("np.tanh(z)", "1 - h**2"),
    "relu": ("np.maximum(z, 0)", "(h > 0).astype(h.dtype)"),
    "sigmoid": ("1 / (1 + np.exp(-z))", "h * (1 - h)"),
}
STEP = {
    "sgd": "        params[k] = params[k] - dtype(0.1) * g\n",
    "momentum": ("        kept[k] = dtype(0.9) * kept[k] + g\n        params[k] = params[k] - dtype(0.02) * kept[k]\n"),
    "adam": (
        "        kept[k] = dtype(0.9) * kept[k] + dtype(0.1) * g\n"
        "        square[k] = dtype(0.99) * square[k] + dtype(0.01) * g * g\n"
        "        m, v = kept[k] / dtype(1 - 0.9**t), square[k] / dtype(1 - 0.99**t)\n"
        "        params[k] = params[k] - dtype(0.02) * m / (np.sqrt(v) + dtype(1e-3))\n"
    ),
}


def healthy_run(activation: str, dtype: str, optimiser: str, seed: int) -> str:
    """The text of one healthy script."""
    activate, slope = ACTIVATE[activation]
    return TEMPLATE.format(seed=seed, dtype=dtype, activate=activate, slope=slope, step=STEP[optimiser])
