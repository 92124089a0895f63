import numpy as np

rng = np.random.default_rng(52)
A = rng.normal(size=(2, 2)) * 0.1
x0 = rng.normal(size=(10, 2))
true = np.array([[-0.1, 1.0], [-1.0, -0.1]])
h, T = 0.1, 15


def simulate(M):
    xs = [x0]
    for _ in range(T):
        xs.append(xs[-1] + h * np.tanh(xs[-1] @ M.T))
    return xs


goal = simulate(true)[-1]
for it in range(30):
    xs = simulate(A)
    r = xs[-1] - goal
    J = 0.5 * np.sum(r**2)
    lam, dA = r, np.zeros_like(A)
    for t in reversed(range(T)):
        s = h * lam * (1 - np.tanh(xs[t] @ A.T) ** 2)
        dA = dA + s.T @ xs[t]
        lam = lam + s @ A
    A = A - 0.01 * dA
print(J)
