import numpy as np

rng = np.random.default_rng(14)
X = rng.normal(size=(70, 10))
true = np.zeros(10)
true[:3] = [1.5, -2.0, 0.7]
y = X @ true + 0.1 * rng.normal(size=70)
w = rng.normal(size=10) * 0.1
bias = 0.0
l1, l2 = 0.02, 0.01
for it in range(60):
    pred = X @ w + bias
    err = pred - y
    objective = np.mean(err**2) / 2 + l1 * np.abs(w).sum() + 0.5 * l2 * np.sum(w**2)
    grad_w = X.T @ err / len(y) + l1 * np.sign(w) + l2 * w
    grad_b = err.mean()
    w = w - 0.1 * grad_w
    bias = bias - 0.1 * grad_b
print(objective, w.round(2))
