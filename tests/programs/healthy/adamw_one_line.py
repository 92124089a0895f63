import numpy as np

rng = np.random.default_rng(5)
X = rng.normal(size=(32, 4))
Y = X @ rng.normal(size=(4, 2))
W = rng.normal(size=(4, 2))
mW = np.zeros_like(W)
vW = np.zeros_like(W)
for i in range(30):
    E = X @ W - Y
    dW = X.T @ E / len(X)
    mW = 0.9 * mW + 0.1 * dW
    vW = 0.999 * vW + 0.001 * dW * dW
    mh = mW / (1 - 0.9 ** (i + 1))
    vh = vW / (1 - 0.999 ** (i + 1))
    W = W - 0.05 * (mh / (np.sqrt(vh) + 1e-8) + 0.01 * W)
    print(i, 0.5 * np.mean(np.sum(E**2, axis=1)))
