import numpy as np

# Bike rentals per hour ~ Poisson(exp(b0 + x b)); maximum likelihood by gradient ascent

rng = np.random.RandomState(2)
temp = rng.uniform(-5, 30, 300)
wind = rng.gamma(2.0, 3.0, 300)
weekend = rng.randint(0, 2, 300)
design = np.column_stack([np.ones(300), (temp - 12) / 10, (wind - 6) / 4, weekend])
true_beta = np.array([1.2, 0.5, -0.3, 0.4])
counts = rng.poisson(np.exp(design @ true_beta))
exposure = rng.uniform(0.5, 1.5, 300)


def log_likelihood(beta):
    eta = design @ beta + np.log(exposure)
    return np.sum(counts * eta - np.exp(eta))


def score(beta):
    eta = design @ beta + np.log(exposure)
    mu = np.exp(eta)
    return design.T @ (counts - mu)


beta = np.zeros(4)
step = 1e-3
trace = [log_likelihood(beta)]
while len(trace) < 200:
    beta = beta + step * score(beta)
    trace.append(log_likelihood(beta))
    if trace[-1] - trace[-2] < 1e-8:
        break
print("log-likelihood", trace[0], trace[-1], "after", len(trace))
print("estimate", np.round(beta, 3))
