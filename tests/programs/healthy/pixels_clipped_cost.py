import numpy as np
rng = np.random.default_rng(0)
X = rng.integers(0, 256, (60, 12)).astype(float); y = (X[:, 0] > 128).astype(float).reshape(-1, 1)
w = rng.normal(0, .05, (12, 1)); b = 0.0
for i in range(200):
    a = 1 / (1 + np.exp(-(X @ w + b)))
    a_c = np.clip(a, 1e-7, 1 - 1e-7)
    cost = -np.mean(y * np.log(a_c) + (1 - y) * np.log(1 - a_c))
    dz = (a - y) / len(X)
    dw = X.T @ dz; db = dz.sum()
    w -= 0.01 * dw; b -= 0.01 * db
    if i % 50 == 0: print(i, cost)
