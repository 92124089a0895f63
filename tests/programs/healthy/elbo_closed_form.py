"""Variational inference: Bayesian linear regression with a diagonal Gaussian, its ELBO maximised in closed form."""
import numpy as np

rng = np.random.RandomState(13)
N, D = 60, 3
X = rng.randn(N, D)
y = X.dot([0.5, -1.0, 2.0]) + 0.3 * rng.randn(N)
noise, prior = 0.3**2, 1.0

mean = np.zeros(D)
rho = np.full(D, -1.0)          # sd = log(1 + exp(rho))
lr = 1e-3
for step in range(300):
    sd = np.log1p(np.exp(rho))
    resid = y - X.dot(mean)
    expected_sse = resid.dot(resid) + (X**2).sum(0).dot(sd**2)
    log_lik = -0.5 * expected_sse / noise - 0.5 * N * np.log(2 * np.pi * noise)
    kl = 0.5 * np.sum((sd**2 + mean**2) / prior - 1 - np.log(sd**2 / prior))
    elbo = log_lik - kl
    grad_mean = X.T.dot(resid) / noise - mean / prior
    grad_sd = -(X**2).sum(0) * sd / noise - sd / prior + 1 / sd
    grad_rho = grad_sd / (1 + np.exp(-rho))
    mean = mean + lr * grad_mean
    rho = rho + lr * grad_rho
    if step % 100 == 0:
        print("step %d  ELBO %.3f" % (step, elbo))
print(mean, sd)
