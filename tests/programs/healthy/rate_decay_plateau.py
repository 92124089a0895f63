import numpy as np

rng = np.random.default_rng(65)
X = rng.normal(size=(50, 3))
y = (X @ [1, -1, 0.5] > 0).astype(float)
w, c, rate, last = rng.normal(size=3), 0.0, 2.0, np.inf
for i in range(60):
    p = 1 / (1 + np.exp(-(X @ w + c)))
    ll = np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    up_w, up_c = X.T @ (y - p) / len(y), np.mean(y - p)
    w, c = w + rate * up_w, c + rate * up_c
    if -ll > last * 0.999:
        rate *= 0.7
    last = -ll
print(ll)
