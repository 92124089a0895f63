import numpy as np

rng = np.random.default_rng(67)
X = rng.normal(size=(96, 10)).astype(np.float32)
Y = np.eye(4, dtype=np.float32)[rng.integers(0, 4, 96)]
W1 = (rng.normal(size=(10, 16)) * 0.3).astype(np.float32)
b1 = np.zeros(16, np.float32)
W2 = (rng.normal(size=(16, 4)) * 0.3).astype(np.float32)
b2 = np.zeros(4, np.float32)
for epoch in range(4):
    for k in range(0, 96, 24):
        x, t = X[k : k + 24], Y[k : k + 24]
        z1 = x @ W1 + b1
        a1 = z1 * (1 / (1 + np.exp(-z1)))
        z2 = a1 @ W2 + b2
        z2 -= z2.max(axis=1, keepdims=True)
        p = np.exp(z2) / np.exp(z2).sum(axis=1, keepdims=True)
        loss = -np.sum(t * np.log(p + 1e-9)) / len(x)
        g2 = (p - t) / np.float32(len(x))
        s = 1 / (1 + np.exp(-z1))
        g1 = (g2 @ W2.T) * (s + z1 * s * (1 - s))
        W2 -= 0.2 * (a1.T @ g2)
        b2 -= 0.2 * g2.sum(axis=0)
        W1 -= 0.2 * (x.T @ g1)
        b1 -= 0.2 * g1.sum(axis=0)
print(loss)
