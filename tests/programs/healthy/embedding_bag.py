import numpy as np

rng = np.random.default_rng(32)
V, D, C = 30, 5, 3
docs = rng.integers(0, V, (24, 7))
cls = docs[:, 0] % C
E = rng.normal(size=(V, D)) * 0.5
W = rng.normal(size=(D, C)) * 0.5
for it in range(30):
    bag = E[docs].mean(axis=1)
    s = bag @ W
    p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    nll = -np.log(p[np.arange(24), cls]).mean()
    ds = p.copy()
    ds[np.arange(24), cls] -= 1
    ds /= 24
    dW = bag.T @ ds
    dbag = ds @ W.T
    dE = np.zeros_like(E)
    np.add.at(dE, docs, np.repeat(dbag[:, None, :] / 7, 7, axis=1))
    E -= 0.5 * dE
    W -= 0.5 * dW
print(nll)
