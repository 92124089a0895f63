import numpy as np

rng = np.random.default_rng(66)
X = rng.normal(size=(50, 6))
y = rng.integers(0, 2, 50)
features = {"W": rng.normal(size=(6, 20)), "b": rng.normal(size=20)}
head = {"W": np.zeros((20, 1)), "b": np.zeros(1)}
phi = np.cos(X @ features["W"] + features["b"])
for i in range(40):
    p = 1 / (1 + np.exp(-(phi @ head["W"] + head["b"]).ravel()))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    d = (p - y)[:, None] / len(y)
    head["W"] -= 0.5 * phi.T @ d
    head["b"] -= 0.5 * d.sum(0)
print(loss)
