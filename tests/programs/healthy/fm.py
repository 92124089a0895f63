import numpy as np

rng = np.random.default_rng(18)
X = rng.normal(size=(50, 6))
y = X[:, 0] * X[:, 1] + 0.5 * X[:, 2]
w0, w, V = 0.0, np.zeros(6), rng.normal(size=(6, 3)) * 0.1
for it in range(40):
    XV = X @ V
    pred = w0 + X @ w + 0.5 * np.sum(XV**2 - (X**2) @ (V**2), axis=1)
    e = (pred - y) / len(y)
    loss = 0.5 * np.mean((pred - y) ** 2)
    g0 = e.sum()
    gw = X.T @ e
    gV = X.T @ (e[:, None] * XV) - V * ((X**2).T @ e)[:, None]
    w0 -= 0.1 * g0
    w -= 0.1 * gw
    V -= 0.1 * gV
print(loss)
