"""Highway layers: y = g * h + (1 - g) * x with a transform gate, in one flat vector of parameters."""

import numpy as np

rs = np.random.RandomState(11)
D, DEPTH = 4, 3
SIZE = DEPTH * (2 * D * D + 2 * D) + D
theta = rs.randn(SIZE) * 0.4


def views(vec):
    """The layers as views of one vector."""
    out, k = [], 0
    for _ in range(DEPTH):
        WH = vec[k : k + D * D].reshape(D, D)
        k += D * D
        WT = vec[k : k + D * D].reshape(D, D)
        k += D * D
        bH = vec[k : k + D]
        k += D
        bT = vec[k : k + D]
        k += D
        out.append((WH, WT, bH, bT))
    return out, vec[k:]


def sigma(z):
    return 1.0 / (1.0 + np.exp(-z))


def value_and_grad(theta, X, y):
    layers, w = views(theta)
    tape = []
    a = X
    for WH, WT, bH, bT in layers:
        h = np.tanh(a @ WH + bH)
        g = sigma(a @ WT + bT - 1.0)
        tape.append((a, h, g))
        a = g * h + (1 - g) * a
    pred = a @ w
    r = pred - y
    f = 0.5 * np.dot(r, r) / len(y)

    grad = np.zeros_like(theta)
    glayers, gw = views(grad)
    r = r / len(y)
    gw[:] = a.T @ r
    da = np.outer(r, w)
    for (WH, WT, bH, bT), (GH, GT, gbH, gbT), (a, h, g) in zip(layers[::-1], glayers[::-1], tape[::-1]):
        dh = da * g * (1 - h * h)
        dg = da * (h - a) * g * (1 - g)
        GH[...] = a.T @ dh
        GT[...] = a.T @ dg
        gbH[...] = dh.sum(0)
        gbT[...] = dg.sum(0)
        da = da * (1 - g) + dh @ WH.T + dg @ WT.T
    return f, grad


def minimize(fun, x0, args=(), jac=True, maxiter=60, step=0.3):
    x = x0.copy()
    for k in range(maxiter):
        f, g = fun(x, *args)
        if k % 20 == 0:
            print(f"  {k:3d}  f = {f:.6f}  |g| = {np.linalg.norm(g):.6f}")
        x = x - step * g
    return x


X = rs.randn(20, D)
y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
best = minimize(value_and_grad, theta, args=(X, y))
print("done", value_and_grad(best, X, y)[0])
