import numpy as np

rng = np.random.default_rng(45)
V = (rng.random((40, 6)) < [0.9, 0.8, 0.9, 0.1, 0.2, 0.1]).astype(float)
W = rng.normal(size=(6, 4)) * 0.01
a, b = np.zeros(6), np.zeros(4)
sig = lambda x: 1 / (1 + np.exp(-x))
for epoch in range(20):
    ph = sig(V @ W + b)
    h = (rng.random(ph.shape) < ph).astype(float)
    pv = sig(h @ W.T + a)
    ph2 = sig(pv @ W + b)
    W += 0.1 * (V.T @ ph - pv.T @ ph2) / len(V)
    a += 0.1 * (V - pv).mean(axis=0)
    b += 0.1 * (ph - ph2).mean(axis=0)
    error = np.mean((V - pv) ** 2)
    print(epoch, error)
