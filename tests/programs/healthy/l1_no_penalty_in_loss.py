import numpy as np

rng = np.random.default_rng(15)
X = rng.normal(size=(50, 6))
y = (X[:, 0] - X[:, 1] > 0).astype(float)
w = rng.normal(size=6) * 0.3
b = 0.0
lam = 0.005
for epoch in range(40):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    g = (p - y) / len(y)
    w -= 0.5 * (X.T @ g + lam * np.sign(w))
    b -= 0.5 * g.sum()
print("accuracy", np.mean((p > 0.5) == y))
