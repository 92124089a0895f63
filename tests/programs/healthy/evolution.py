import numpy as np

rng = np.random.default_rng(42)
X = rng.normal(size=(30, 3))
y = np.tanh(X @ [0.5, -1, 2])
w = np.zeros(3)
sigma, alpha, npop = 0.1, 0.05, 20


def fitness(v):
    return -np.mean((np.tanh(X @ v) - y) ** 2)


for gen in range(20):
    N = rng.normal(size=(npop, 3))
    R = np.array([fitness(w + sigma * n) for n in N])
    A = (R - R.mean()) / R.std()
    w = w + alpha / (npop * sigma) * N.T @ A
    print(gen, fitness(w))
