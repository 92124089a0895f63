"""Fit a 1-d Gaussian mixture by gradient descent on the negative log-likelihood (softmax weights, log-scales)."""
import numpy as np
from types import SimpleNamespace

rng = np.random.default_rng(12)
x = np.concatenate([rng.normal(-2, 0.5, 80), rng.normal(1, 1.0, 120)])
th = SimpleNamespace(logit=np.zeros(2), mu=np.array([-1.0, 0.5]), log_sd=np.zeros(2))


def nll_and_grad(th, x):
    w = np.exp(th.logit - th.logit.max())
    w = w / w.sum()
    sd = np.exp(th.log_sd)
    z = (x[:, None] - th.mu[None, :]) / sd
    logc = np.log(w) - 0.5 * z**2 - th.log_sd - 0.5 * np.log(2 * np.pi)
    top = logc.max(axis=1)
    logpx = top + np.log(np.exp(logc - top[:, None]).sum(axis=1))
    resp = np.exp(logc - logpx[:, None])
    n = x.shape[0]
    g = SimpleNamespace()
    g.logit = w - resp.mean(axis=0)
    g.mu = -(resp * z / sd).sum(axis=0) / n
    g.log_sd = (resp * (1 - z**2)).sum(axis=0) / n
    return -logpx.mean(), g


velocity = {k: np.zeros(2) for k in vars(th)}
for it in range(200):
    value, g = nll_and_grad(th, x)
    for k in vars(th):
        velocity[k] = 0.8 * velocity[k] + getattr(g, k)
        setattr(th, k, getattr(th, k) - 0.05 * velocity[k])
    if it % 50 == 0:
        print(it, value)
print(th)
