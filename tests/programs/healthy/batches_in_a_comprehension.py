import numpy as np

rng = np.random.default_rng(5)
x = rng.normal(size=(96, 4))
y = np.stack([x[:, 0] * x[:, 1], np.abs(x[:, 2])], axis=1)
params = [rng.normal(size=(4, 8)) * 0.5, np.zeros(8), rng.normal(size=(8, 2)) * 0.3, np.zeros(2)]
velocity = [np.zeros_like(p) for p in params]
logs = []


def step(xb, yb):
    W1, b1, W2, b2 = params
    z = xb @ W1 + b1
    s = 1 / (1 + np.exp(-z))
    diff = z * s @ W2 + b2 - yb
    loss = 0.5 * np.mean(np.sum(diff**2, axis=1))
    g = diff / len(xb)
    dz = g @ W2.T * (s + z * s * (1 - s))
    for p, v, dp in zip(params, velocity, [xb.T @ dz, dz.sum(0), (z * s).T @ g, g.sum(0)]):
        v *= 0.9
        v += dp
        p -= 0.05 * v
    return loss


for epoch in range(20):
    losses = [step(x[i : i + 24], y[i : i + 24]) for i in range(0, len(x), 24)]
    logs.append({"epoch": epoch, "loss": float(np.mean(losses))})
print(logs[-1])
