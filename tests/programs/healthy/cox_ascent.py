# Cox proportional hazards, Newton-free gradient ascent on the partial likelihood
import numpy as np
rng = np.random.default_rng(5)
n = 60; X = rng.normal(size=(n, 3)); T = rng.exponential(np.exp(-X @ [.5, -.3, .2])); E = rng.random(n) < .7
order = np.argsort(-T); X, E = X[order], E[order]
beta = np.zeros(3)
for step in range(100):
    eta = X @ beta; r = np.exp(eta)
    risk = np.cumsum(r); 
    pll = np.sum(E * (eta - np.log(risk))) / n
    rx = np.cumsum(r[:, None] * X, axis=0)
    g = (E[:, None] * (X - rx / risk[:, None])).sum(0) / n
    beta += .5 * g
    if step % 20 == 0: print("partial log-likelihood", pll)
