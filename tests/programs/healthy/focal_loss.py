import numpy as np

rng = np.random.default_rng(21)
X = rng.normal(size=(80, 3))
y = (X[:, 0] + X[:, 1] > 1).astype(float)
w, b, gamma, alpha = rng.normal(size=3) * 0.1, 0.0, 2.0, 0.75


def sig(z):
    return 1 / (1 + np.exp(-z))


for it in range(50):
    p = sig(X @ w + b)
    pt = np.where(y == 1, p, 1 - p)
    at = np.where(y == 1, alpha, 1 - alpha)
    focal = np.mean(-at * (1 - pt) ** gamma * np.log(pt))
    dpt = at * (gamma * (1 - pt) ** (gamma - 1) * np.log(pt) - (1 - pt) ** gamma / pt) / len(y)
    dz = dpt * np.where(y == 1, 1, -1) * p * (1 - p)
    w = w - 1.0 * (X.T @ dz)
    b = b - 1.0 * dz.sum()
print(focal)
