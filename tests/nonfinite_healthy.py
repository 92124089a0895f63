"""A small network that trains healthily: activation x number type x optimiser x what it does with infinities."""

from __future__ import annotations

from itertools import product

ACTIVATIONS = {
    "relu": ("np.maximum(z1, 0)", "(z1 > 0).astype(dtype)"),
    "tanh": ("np.tanh(z1)", "1 - a1**2"),
    "sigmoid": ("1 / (1 + np.exp(-z1))", "a1 * (1 - a1)"),
}
OPTIMISERS = {
    "sgd": "P[k] -= dtype(0.05) * G[k]",
    "momentum": "M[k] = dtype(0.9) * M[k] + G[k]\n        P[k] -= dtype(0.02) * M[k]",
    "adam": (
        "M[k] = dtype(0.9) * M[k] + dtype(0.1) * G[k]\n"
        "        V[k] = dtype(0.99) * V[k] + dtype(0.01) * G[k] ** 2\n"
        "        P[k] = P[k] - dtype(0.01) * M[k] / (np.sqrt(V[k]) + dtype(1e-3))"
    ),
}
# what the forward pass does with the logits, and with the loss
INFINITIES = {
    "none": ("z2", "-np.mean(np.log(p[rows, y]))"),
    "mask": ("z2 + mask", "-np.mean(np.log(p[rows, y]))"),
    "where": ("z2", "-np.mean(np.where(Y > 0, Y * np.log(p), 0).sum(axis=1))"),
    "both branches": ("np.where(mask < 0, -np.inf, z2)", "-np.where(p > 0, Y * np.log(p), 0).sum() / len(y)"),
}

PROGRAM = """import numpy as np

dtype = np.{dtype}
rng = np.random.RandomState({seed})
X = rng.randn(24, 6).astype(dtype)
y = rng.randint(0, 3, 24)
Y = np.eye(4, dtype=dtype)[y]
rows = np.arange(24)
mask = np.zeros(4, dtype=dtype)
mask[3] = -np.inf
P = {{"W1": (rng.randn(6, 5) * 0.3).astype(dtype), "b1": np.zeros(5, dtype),
     "W2": (rng.randn(5, 4) * 0.3).astype(dtype), "b2": np.zeros(4, dtype)}}
M = {{k: np.zeros_like(v) for k, v in P.items()}}
V = {{k: np.zeros_like(v) for k, v in P.items()}}


def train(steps):
    for step in range(steps):
        z1 = X @ P["W1"] + P["b1"]
        a1 = {activation}
        z2 = a1 @ P["W2"] + P["b2"]
        logits = {logits}
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        loss = {loss}
        d2 = (p - Y) / dtype(24)
        d1 = (d2 @ P["W2"].T) * ({derivative})
        update({{"W2": a1.T @ d2, "b2": d2.sum(axis=0), "W1": X.T @ d1, "b1": d1.sum(axis=0)}})
    return loss


def update(G):
    for k in P:
        {update}


loss = train(30)
"""

RUNS = list(product(ACTIVATIONS, ("float16", "float32", "float64"), OPTIMISERS, INFINITIES))


def program(activation: str, dtype: str, optimiser: str, infinities: str, seed: int = 0) -> str:
    """The source of one run."""
    forward, derivative = ACTIVATIONS[activation]
    logits, loss = INFINITIES[infinities]
    return PROGRAM.format(
        dtype=dtype,
        seed=seed,
        activation=forward,
        derivative=derivative,
        logits=logits,
        loss=loss,
        update=OPTIMISERS[optimiser],
    )
