"""Sign descent and Adam written as closures, on one model."""
import numpy as np

rng = np.random.default_rng(21)
X = rng.normal(size=(30, 4))
y = X[:, :1] - X[:, 1:2] ** 2


def adam(lr, b1=0.9, b2=0.99):
    state = {}

    def step(name, p, g):
        m, v, t = state.get(name, (np.zeros_like(p), np.zeros_like(p), 0))
        t += 1
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        state[name] = (m, v, t)
        return p - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + 1e-8)

    return step


def sign(lr):
    return lambda name, p, g: p - lr * np.sign(g)


for opt in (adam(0.02), sign(0.01)):
    p = {"W": rng.normal(size=(4, 6)) * 0.4, "V": rng.normal(size=(6, 1)) * 0.4}
    for i in range(20):
        h = np.tanh(X @ p["W"])
        e = h @ p["V"] - y
        loss = np.mean(e**2)
        d = 2 * e / len(X)
        g = {"V": h.T @ d, "W": X.T @ (d @ p["V"].T * (1 - h**2))}
        p = {k: opt(k, p[k], g[k]) for k in p}
    print(loss)
