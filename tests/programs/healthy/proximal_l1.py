import numpy as np

rng = np.random.default_rng(61)
X = rng.normal(size=(60, 8))
y = X[:, 0] * 3 - X[:, 2]
w = rng.normal(size=8) * 0.1
eta, lam = 0.1, 0.05
for k in range(40):
    err = X @ w - y
    loss = np.mean(err**2) / 2
    w -= eta * X.T @ err / len(y)
    w -= eta * lam * np.sign(w)
print(loss, w.round(2))
