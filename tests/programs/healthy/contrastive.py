import numpy as np

rng = np.random.default_rng(37)
A = rng.normal(size=(30, 5))
same = rng.integers(0, 2, 30)
B = np.where(same[:, None], A + 0.1 * rng.normal(size=A.shape), rng.normal(size=A.shape))
P = rng.normal(size=(5, 2)) * 0.3
margin = 1.0
for step in range(40):
    u, v = A @ P, B @ P
    diff = u - v
    dist = np.sqrt((diff**2).sum(axis=1) + 1e-9)
    gap = np.maximum(0, margin - dist)
    loss = np.mean(same * dist**2 + (1 - same) * gap**2)
    ddist = (same * 2 * dist - (1 - same) * 2 * gap) / len(A)
    ddiff = (ddist / dist)[:, None] * diff
    dP = A.T @ ddiff - B.T @ ddiff
    P -= 0.1 * dP
print(loss)
