import numpy as np

rng = np.random.default_rng(47)
R = rng.normal(size=(12, 3)) @ rng.normal(size=(3, 9))
M = rng.random(R.shape) < 0.7
A, B = rng.normal(size=(12, 3)) * 0.2, rng.normal(size=(9, 3)) * 0.2
for it in range(60):
    E = M * (A @ B.T - R)
    f = 0.5 * np.sum(E**2) + 0.05 * (np.sum(A**2) + np.sum(B**2))
    gA, gB = E @ B + 0.1 * A, E.T @ A + 0.1 * B
    A, B = A - 0.02 * gA, B - 0.02 * gB
print(f)
