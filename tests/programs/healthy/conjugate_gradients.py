"""Fit a sum of two exponentials with Polak-Ribiere conjugate gradients and backtracking."""
import numpy as np

rng = np.random.default_rng(5)
t = np.linspace(0, 4, 50)
obs = 2.0 * np.exp(-1.5 * t) + 0.8 * np.exp(-0.3 * t) + 0.01 * rng.normal(size=50)


def residuals(c):
    a1, k1, a2, k2 = c
    return a1 * np.exp(-k1 * t) + a2 * np.exp(-k2 * t) - obs


def cost(c):
    return 0.5 * np.sum(residuals(c) ** 2)


def gradient(c):
    a1, k1, a2, k2 = c
    r = residuals(c)
    e1, e2 = np.exp(-k1 * t), np.exp(-k2 * t)
    return np.array([r @ e1, -a1 * (r * t) @ e1, r @ e2, -a2 * (r * t) @ e2])


c = np.array([1.0, 1.0, 1.0, 0.5])
g = gradient(c)
d = -g
for it in range(60):
    alpha = 1.0
    f0 = cost(c)
    while cost(c + alpha * d) > f0 + 1e-4 * alpha * (g @ d):
        alpha *= 0.5
        if alpha < 1e-12:
            break
    c = c + alpha * d
    g_next = gradient(c)
    beta = max(0.0, g_next @ (g_next - g) / (g @ g))
    d = -g_next + beta * d
    if d @ g_next > 0:
        d = -g_next
    g = g_next
print("cost", cost(c), "parameters", c)
