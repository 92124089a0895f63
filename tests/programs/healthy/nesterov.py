import numpy as np

rng = np.random.default_rng(16)
X = rng.normal(size=(60, 5))
Y = np.eye(4)[rng.integers(0, 4, 60)]
theta = {"W": rng.normal(size=(5, 4)) * 0.1, "b": np.zeros(4)}
vel = {k: np.zeros_like(p) for k, p in theta.items()}
mu, eta = 0.9, 0.05


def forward(t):
    s = X @ t["W"] + t["b"]
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


for it in range(40):
    ahead = {k: theta[k] + mu * vel[k] for k in theta}
    P = forward(ahead)
    loss = -np.log(P[Y == 1]).mean()
    G = (P - Y) / len(X)
    grad = {"W": X.T @ G, "b": G.sum(axis=0)}
    for k in theta:
        vel[k] = mu * vel[k] - eta * grad[k]
        theta[k] = theta[k] + vel[k]
    if it % 10 == 0:
        print(it, loss)
