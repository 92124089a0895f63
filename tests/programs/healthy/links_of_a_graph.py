# simple GCN + link prediction negative sampling with BCE, adjacency normalisation
import numpy as np
rng = np.random.default_rng(1)
n = 20; A = (rng.random((n, n)) < .2).astype(float); A = np.maximum(A, A.T); np.fill_diagonal(A, 1)
D = np.diag(A.sum(1) ** -.5); S = D @ A @ D; F = np.eye(n)
Wa = rng.normal(0, .3, (n, 8)); Wb = rng.normal(0, .3, (8, 4))
pos = np.argwhere(np.triu(A, 1) > 0)
for it in range(40):
    H = np.maximum(S @ F @ Wa, 0); Z = S @ H @ Wb
    neg = rng.integers(0, n, pos.shape)
    pairs = np.vstack([pos, neg]); t = np.r_[np.ones(len(pos)), np.zeros(len(neg))]
    sc = np.sum(Z[pairs[:, 0]] * Z[pairs[:, 1]], axis=1)
    p = 1 / (1 + np.exp(-sc))
    L = np.mean(np.logaddexp(0, sc) - t * sc)
    ds = (p - t) / len(t)
    dZ = np.zeros_like(Z)
    np.add.at(dZ, pairs[:, 0], ds[:, None] * Z[pairs[:, 1]])
    np.add.at(dZ, pairs[:, 1], ds[:, None] * Z[pairs[:, 0]])
    dWb = (S @ H).T @ dZ
    dH = S.T @ dZ @ Wb.T; dH[H <= 0] = 0
    dWa = (S @ F).T @ dH
    Wa -= .5 * dWa; Wb -= .5 * dWb
    if it % 10 == 0: print(it, L)
