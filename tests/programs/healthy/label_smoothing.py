import numpy as np

rng = np.random.default_rng(19)
K, N = 4, 48
X = rng.normal(size=(N, 6))
labels = rng.integers(0, K, N)
eps = 0.1
W, c = rng.normal(size=(6, K)) * 0.2, np.zeros(K)
for i in range(40):
    z = X @ W + c
    z = z - z.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    q = np.full((N, K), eps / K)
    q[np.arange(N), labels] += 1 - eps
    loss = -(q * logp).sum(axis=1).mean()
    dz = (np.exp(logp) - q) / N
    W -= 0.5 * X.T @ dz
    c -= 0.5 * dz.sum(axis=0)
    if i % 10 == 0:
        print(loss)
