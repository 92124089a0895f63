import numpy as np

rng = np.random.default_rng(22)
X = rng.normal(size=(60, 2))
y = np.where(X[:, 0] - X[:, 1] > 0.2, 1, -1)
w = np.zeros(2)
b = 0
C = 1.0
for t in range(1, 61):
    margin = y * (X @ w + b)
    loss = 0.5 * w @ w + C * np.maximum(0, 1 - margin).mean()
    active = margin < 1
    gw = w - C * (y[active, None] * X[active]).sum(axis=0) / len(y)
    gb = -C * y[active].sum() / len(y)
    w = w - (1 / t) * gw * 0.5
    b = b - (1 / t) * gb * 0.5
    if t % 20 == 0:
        print(t, loss)
