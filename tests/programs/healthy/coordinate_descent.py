import numpy as np

rng = np.random.default_rng(48)
X = rng.normal(size=(50, 6))
y = X[:, 0] * 2 - X[:, 3] + 0.1 * rng.normal(size=50)
w = np.zeros(6)
lam = 5.0
for sweep in range(10):
    for j in range(6):
        r = y - X @ w + X[:, j] * w[j]
        rho = X[:, j] @ r
        w[j] = np.sign(rho) * max(abs(rho) - lam, 0) / (X[:, j] @ X[:, j])
    print(sweep, 0.5 * np.sum((y - X @ w) ** 2) + lam * np.abs(w).sum())
