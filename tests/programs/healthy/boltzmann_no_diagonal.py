"""A fully visible Boltzmann machine small enough to enumerate all states: exact maximum likelihood."""
import itertools
import numpy as np

D = 4
states = np.array(list(itertools.product([0.0, 1.0], repeat=D)))
rng = np.random.default_rng(44)
data = (rng.random((50, D)) < [0.8, 0.3, 0.5, 0.6]).astype(float)
data[:, 2] = data[:, 0]

J = np.zeros((D, D))
h = np.zeros(D)


def energy(s):
    return -0.5 * np.einsum("ni,ij,nj->n", s, J, s) - s @ h


def log_z():
    e = -energy(states)
    return e.max() + np.log(np.sum(np.exp(e - e.max())))


off = 1 - np.eye(D)
for sweep in range(100):
    nll = energy(data).mean() + log_z()
    prob = np.exp(-energy(states) - log_z())
    clamped = data.T @ data / len(data)
    free = states.T @ (prob[:, None] * states)
    dJ = 0.5 * (free - clamped) * off
    dh = prob @ states - data.mean(axis=0)
    J -= 0.5 * dJ
    h -= 0.5 * dh
    if sweep % 25 == 0:
        print(sweep, nll)
