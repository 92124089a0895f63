import numpy as np

rng = np.random.default_rng(20)
X = rng.normal(size=(50, 3))
y = X @ [1.0, 2, 3] + rng.normal(size=50)
w = np.zeros(3)
eps = 1e-3
for i in range(50):
    resid = X @ w - y
    energy = 0.5 * resid @ resid + 0.5 * w @ w
    grad = X.T @ resid + w
    w += -0.5 * eps * grad + np.sqrt(eps) * rng.normal(size=3)
print(energy)
