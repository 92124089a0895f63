import numpy as np

rng = np.random.default_rng(22)
A, Pz = rng.normal(size=(30, 6)), rng.normal(size=(30, 6))
P_, N_ = A + 0.1 * Pz, rng.normal(size=(30, 6))
W = rng.normal(size=(6, 3)) * 0.4
for i in range(30):
    a, p, n = A @ W, P_ @ W, N_ @ W
    dp, dn = ((a - p) ** 2).sum(1), ((a - n) ** 2).sum(1)
    viol = np.maximum(0, dp - dn + 1)
    loss = viol.mean()
    m = (viol > 0)[:, None] / len(A)
    ga, gp, gn = m * 2 * (n - p), m * -2 * (a - p), m * 2 * (a - n)
    W -= 0.1 * (A.T @ ga + P_.T @ gp + N_.T @ gn)
print(loss)
