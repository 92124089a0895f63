import numpy as np

rng = np.random.default_rng(50)
X = rng.normal(size=(40, 5))
y = np.exp(X @ rng.normal(size=5) * 0.3)
w = np.zeros(5)


def f(w):
    return np.mean(np.exp(X @ w) - y * (X @ w))


def df(w):
    return X.T @ (np.exp(X @ w) - y) / len(y)


for it in range(15):
    g = df(w)
    step = 1.0
    while f(w - step * g) > f(w) - 0.5 * step * g @ g:
        step *= 0.5
    w = w - step * g
    print(it, f(w), step)
