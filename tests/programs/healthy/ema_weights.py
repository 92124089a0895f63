import numpy as np

rng = np.random.default_rng(36)
X = rng.normal(size=(50, 3))
y = np.maximum(X @ [[1.0], [2.0], [-1.0]], 0)
w, b = rng.normal(size=(3, 1)), np.zeros(1)
ema_w, ema_b, beta = w.copy(), b.copy(), 0.98
for i in range(40):
    z = X @ w + b
    f = np.log1p(np.exp(z))
    mse = np.mean((f - y) ** 2)
    dz = 2 * (f - y) / len(X) / (1 + np.exp(-z))
    w -= 0.2 * X.T @ dz
    b -= 0.2 * dz.sum(0)
    ema_w = beta * ema_w + (1 - beta) * w
    ema_b = beta * ema_b + (1 - beta) * b
print(mse, np.mean((np.log1p(np.exp(X @ ema_w + ema_b)) - y) ** 2))
