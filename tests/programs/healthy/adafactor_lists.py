"""Adafactor: second moments kept as a row and a column; clipped by the root mean square of the update."""

import numpy as np

rng = np.random.default_rng(1)
X = rng.normal(size=(50, 6))
Y = np.tanh(X @ rng.normal(size=(6, 3)))

mats = [rng.normal(0, 0.4, (6, 8)), rng.normal(0, 0.4, (8, 3))]
rows = [np.zeros((6, 1)), np.zeros((8, 1))]
cols = [np.zeros((1, 8)), np.zeros((1, 3))]

for t in range(1, 41):
    hidden = np.maximum(X @ mats[0], 0)
    out = hidden @ mats[1]
    residual = out - Y
    cost = 0.5 * (residual * residual).sum() / len(X)

    back = residual / len(X)
    gradients = [None, hidden.T @ back]
    gradients[0] = X.T @ np.where(hidden > 0, back @ mats[1].T, 0)

    beta = 1 - t**-0.8
    for k, g in enumerate(gradients):
        sq = g**2 + 1e-30
        rows[k] = beta * rows[k] + (1 - beta) * sq.mean(axis=1, keepdims=True)
        cols[k] = beta * cols[k] + (1 - beta) * sq.mean(axis=0, keepdims=True)
        v = rows[k] * cols[k] / rows[k].mean()
        u = g / np.sqrt(v)
        u = u / max(1.0, np.sqrt(np.mean(u**2)))
        mats[k] = mats[k] - 0.02 * u
    if t % 10 == 0:
        print(t, cost)
