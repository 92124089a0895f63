import numpy as np

rng = np.random.default_rng(46)
U, I, F = 8, 10, 3
ratings = [(u, i, float(rng.integers(1, 6))) for u in range(U) for i in range(I) if rng.random() < 0.4]
P = rng.normal(scale=0.3, size=(U, F))
Q = rng.normal(scale=0.3, size=(I, F))
lr, reg = 0.02, 0.05
for epoch in range(10):
    sse = 0
    for u, i, r in ratings:
        e = r - P[u] @ Q[i]
        sse += e * e
        pu = P[u].copy()
        P[u] += lr * (e * Q[i] - reg * P[u])
        Q[i] += lr * (e * pu - reg * Q[i])
    print(epoch, (sse / len(ratings)) ** 0.5)
