import numpy as np

rng = np.random.default_rng(11)
X = rng.normal(size=(32, 5)) * 3
y = X @ rng.normal(size=(5, 1)) * 5
params = [rng.normal(size=(5, 8)), np.zeros(8), rng.normal(size=(8, 1)), np.zeros(1)]
max_norm = 1.0
for step in range(40):
    W1, b1, W2, b2 = params
    z = X @ W1 + b1
    a = np.where(z > 0, z, 0.01 * z)
    pred = a @ W2 + b2
    loss = np.mean((pred - y) ** 2)
    g = 2 * (pred - y) / y.size
    grads = [None] * 4
    grads[2], grads[3] = a.T @ g, g.sum(0)
    g = g @ W2.T * np.where(z > 0, 1, 0.01)
    grads[0], grads[1] = X.T @ g, g.sum(0)
    norm = np.sqrt(sum(np.sum(q**2) for q in grads))
    if norm > max_norm:
        grads = [q * max_norm / norm for q in grads]
    params = [p - 0.05 * q for p, q in zip(params, grads)]
print(loss)
