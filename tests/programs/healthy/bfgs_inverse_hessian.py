"""BFGS with an explicit inverse Hessian on robust regression (pseudo-Huber)."""
import numpy as np

rng = np.random.RandomState(0)
A = rng.randn(80, 4)
b = A @ np.array([1.0, -2.0, 0.5, 3.0]) + rng.standard_t(2, 80) * 0.3


def loss(x):
    r = A @ x - b
    return np.sum(np.sqrt(1 + r**2) - 1)


def gradient(x):
    r = A @ x - b
    return A.T @ (r / np.sqrt(1 + r**2))


x = np.zeros(4)
H = np.eye(4) * 0.01
g = gradient(x)
for k in range(30):
    p = -H @ g
    alpha = 1.0
    while loss(x + alpha * p) > loss(x) + 1e-4 * alpha * g @ p:
        alpha *= 0.5
    s = alpha * p
    x = x + s
    g_new = gradient(x)
    y = g_new - g
    if s @ y > 1e-10:
        rho = 1 / (y @ s)
        V = np.eye(4) - rho * np.outer(s, y)
        H = V @ H @ V.T + rho * np.outer(s, s)
    g = g_new
    if np.abs(g).max() < 1e-6:
        break
print(k, loss(x), x)
