import numpy as np

rng = np.random.default_rng(62)
X = rng.normal(size=(60, 8))
y = X[:, 0] * 3 - X[:, 2]
w = np.zeros(8)
L = np.linalg.norm(X, 2) ** 2
for k in range(30):
    g = X.T @ (X @ w - y)
    w = w - g / L
    w = np.sign(w) * np.maximum(np.abs(w) - 3.0 / L, 0)
    print(k, 0.5 * np.sum((X @ w - y) ** 2))
