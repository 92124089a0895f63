import numpy as np

rng = np.random.default_rng(49)
X = np.c_[np.ones(80), rng.normal(size=(80, 3))]
y = (X @ [0.2, 1.0, -1.0, 0.5] + rng.logistic(size=80) > 0).astype(float)
beta = np.zeros(4)
for it in range(8):
    p = 1 / (1 + np.exp(-X @ beta))
    nll = -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))
    grad = X.T @ (p - y)
    H = X.T @ (X * (p * (1 - p))[:, None])
    beta = beta - np.linalg.solve(H, grad)
    print(it, nll)
