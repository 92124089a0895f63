"""Layer-wise pretraining of an autoencoder, then fine-tuning."""
import numpy as np

rng = np.random.default_rng(24)
X = rng.random((40, 6))
t = (X[:, :1] > 0.5) * 1.0
s = lambda z: 1 / (1 + np.exp(-z))
E, D = rng.normal(size=(6, 3)) * 0.3, rng.normal(size=(3, 6)) * 0.3
for i in range(30):
    c = s(X @ E)
    R = c @ D
    rec = np.mean((R - X) ** 2)
    g = 2 * (R - X) / X.size
    gD = c.T @ g
    gE = X.T @ (g @ D.T * c * (1 - c))
    D -= 1.0 * gD
    E -= 1.0 * gE
print("reconstruction", rec)
w, b = np.zeros((3, 1)), 0.0
for i in range(30):
    c = s(X @ E)
    o = s(c @ w + b)
    bce = -np.mean(t * np.log(o) + (1 - t) * np.log(1 - o))
    d = (o - t) / len(X)
    gw, gb, gE = c.T @ d, d.sum(), X.T @ (d @ w.T * c * (1 - c))
    w, b, E = w - 0.5 * gw, b - 0.5 * gb, E - 0.05 * gE
print("bce", bce)
