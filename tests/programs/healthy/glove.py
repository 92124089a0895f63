import numpy as np

rng = np.random.default_rng(16)
V, D = 12, 4
C = rng.poisson(3, size=(V, V)).astype(float) + 1
W, U = rng.normal(size=(V, D)) * 0.2, rng.normal(size=(V, D)) * 0.2
bw, bu = np.zeros(V), np.zeros(V)
weight = np.minimum(1, (C / 5) ** 0.75)
logC = np.log(C)
gW, gU, gbw, gbu = np.ones_like(W), np.ones_like(U), np.ones(V), np.ones(V)
for epoch in range(20):
    diff = W @ U.T + bw[:, None] + bu[None] - logC
    cost = 0.5 * np.sum(weight * diff**2)
    f = weight * diff
    dW, dU, dbw, dbu = f @ U, f.T @ W, f.sum(1), f.sum(0)
    for p, g, h in ((W, dW, gW), (U, dU, gU), (bw, dbw, gbw), (bu, dbu, gbu)):
        h += g**2
        p -= 0.05 * g / np.sqrt(h)
print(cost)
