import numpy as np

rng = np.random.default_rng(32)
X = rng.normal(size=(64, 3))
y = (X[:, 0] - X[:, 1] > 0).astype(float)[:, None]
params = [rng.normal(size=(3, 6)) * 0.5, np.zeros((1, 6)), rng.normal(size=(6, 1)) * 0.5, np.zeros((1, 1))]
ms = [0.0] * 4
vs = [0.0] * 4


def grads_of(params):
    W1, b1, W2, b2 = params
    z = X @ W1 + b1
    h = np.where(z > 0, z, 0.2 * z)
    p = 1 / (1 + np.exp(-(h @ W2 + b2)))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    dlogit = (p - y) / len(y)
    dz = dlogit @ W2.T * np.where(z > 0, 1, 0.2)
    return loss, [X.T @ dz, dz.sum(0, keepdims=True), h.T @ dlogit, dlogit.sum(0, keepdims=True)]


for t in range(1, 101):
    loss, gs = grads_of(params)
    ms = [0.9 * m + 0.1 * g for m, g in zip(ms, gs)]
    vs = [0.999 * v + 0.001 * g * g for v, g in zip(vs, gs)]
    steps = [(m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8) for m, v in zip(ms, vs)]
    params = [p - 0.02 * s for p, s in zip(params, steps)]
print("loss", loss)
