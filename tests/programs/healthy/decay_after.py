import numpy as np

rng = np.random.default_rng(2)
X = rng.normal(size=(50, 6))
Y = np.eye(3)[rng.integers(0, 3, 50)]
W1 = rng.normal(size=(6, 12)) * 0.4
W2 = rng.normal(size=(12, 3)) * 0.4
b1, b2 = np.zeros(12), np.zeros(3)
lr, wd = 0.3, 1e-3
for it in range(50):
    z = X @ W1 + b1
    h = np.maximum(z, 0)
    s = h @ W2 + b2
    p = np.exp(s - s.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    loss = -np.mean(np.sum(Y * np.log(p), axis=1))
    ds = (p - Y) / len(X)
    dW2, db2 = h.T @ ds, ds.sum(0)
    dz = (ds @ W2.T) * (z > 0)
    dW1, db1 = X.T @ dz, dz.sum(0)
    W1 -= lr * dW1
    W1 -= lr * wd * W1
    W2 -= lr * dW2
    W2 -= lr * wd * W2
    b1 -= lr * db1
    b2 -= lr * db2
    if it % 10 == 0:
        print(it, round(loss, 4))
