"""A deep equilibrium layer: z = tanh(W z + U x), gradients by the implicit function theorem."""

import numpy as np

np.random.seed(2)
n, d, q = 15, 3, 5
X = np.random.randn(n, d)
T = np.sin(X.sum(1, keepdims=True))

W = 0.15 * np.random.randn(q, q)
U = 0.6 * np.random.randn(d, q)
V = 0.6 * np.random.randn(q, 1)


def fixed_point(W, inj, rounds=200):
    z = np.zeros_like(inj)
    for _ in range(rounds):
        z = np.tanh(z @ W + inj)
    return z


for epoch in range(15):
    z = fixed_point(W, X @ U)
    out = z @ V
    loss = 0.5 * np.mean((out - T) ** 2)

    dout = (out - T) / n
    dV = z.T @ dout
    dz = dout @ V.T
    s = 1 - z**2
    # solve g = dz + (g * s) W^T for each sample
    g = np.empty_like(dz)
    for i in range(n):
        J = W * s[i][None, :]
        g[i] = np.linalg.solve(np.eye(q) - J, dz[i])
    delta = g * s
    dW = z.T @ delta
    dU = X.T @ delta

    W -= 0.3 * dW
    U -= 0.3 * dU
    V -= 0.3 * dV
    print(f"{epoch:2d} {loss:.6f}")
