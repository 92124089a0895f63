import numpy as np

rng = np.random.default_rng(41)
x = np.concatenate([rng.normal(-2, 0.5, 60), rng.normal(1.5, 1.0, 90)])
mu, var, pi = np.array([-1.0, 1.0]), np.ones(2), np.full(2, 0.5)
for it in range(15):
    dens = pi * np.exp(-((x[:, None] - mu) ** 2) / (2 * var)) / np.sqrt(2 * np.pi * var)
    nll = -np.log(dens.sum(axis=1)).sum()
    resp = dens / dens.sum(axis=1, keepdims=True)
    N = resp.sum(axis=0)
    mu = (resp * x[:, None]).sum(axis=0) / N
    var = (resp * (x[:, None] - mu) ** 2).sum(axis=0) / N
    pi = N / len(x)
    print(it, nll)
