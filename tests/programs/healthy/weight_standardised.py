"""Weight standardisation: the columns of V are standardised before use, and the gradient goes through it."""

import numpy as np

rng = np.random.default_rng(13)
eps = 1e-5


def standardise(V):
    mu = V.mean(axis=0)
    var = V.var(axis=0)
    s = 1 / np.sqrt(var + eps)
    W = (V - mu) * s
    return W, (V, mu, s, W)


def standardise_backward(dW, saved):
    V, mu, s, W = saved
    return s * (dW - dW.mean(axis=0) - W * (dW * W).mean(axis=0))


X = rng.normal(size=(30, 7))
Y = np.cos(X[:, :2]) + X[:, 2:4]
V1 = rng.normal(size=(7, 9))
gain = np.full(9, 0.5)
V2 = rng.normal(size=(9, 2))

for step in range(50):
    W1, saved1 = standardise(V1)
    pre = X @ W1 * gain
    act = np.where(pre > 0, pre, 0.1 * pre)
    W2, saved2 = standardise(V2)
    out = act @ W2
    loss = np.sum((out - Y) ** 2) / len(X)

    dout = 2 * (out - Y) / len(X)
    dW2 = act.T @ dout
    dact = dout @ W2.T
    dpre = dact * np.where(pre > 0, 1.0, 0.1)
    dgain = np.sum(dpre * (X @ W1), axis=0)
    dW1 = X.T @ (dpre * gain)
    dV2 = standardise_backward(dW2, saved2)
    dV1 = standardise_backward(dW1, saved1)

    V1 -= 0.02 * dV1
    V2 -= 0.02 * dV2
    gain -= 0.02 * dgain
    if step % 10 == 0:
        print(step, loss)
