import numpy as np

rng = np.random.default_rng(8)
n = 4
x = rng.normal(size=(n, 2, 5, 5))
y = rng.normal(size=(n, 2))
K = rng.normal(size=(3, 2, 2, 2)) * 0.5
gamma = 1 + 0.2 * rng.normal(size=(1, 3, 1, 1))
beta = 0.2 * rng.normal(size=(1, 3, 1, 1))
W = rng.normal(size=(3, 2))
b = rng.normal(size=2) * 0.1
lr = 0.3
axes = (0, 2, 3)

for step in range(12):
    z = np.zeros((n, 3, 4, 4))
    for i in range(4):
        for j in range(4):
            z[:, :, i, j] = np.einsum("ncab,fcab->nf", x[:, :, i:i + 2, j:j + 2], K)
    mean = z.mean(axis=axes, keepdims=True)
    var = z.var(axis=axes, keepdims=True)
    inv = 1 / np.sqrt(var + 1e-5)
    norm = (z - mean) * inv
    out = gamma * norm + beta
    act = 1 / (1 + np.exp(-out))
    pooled = act.mean(axis=(2, 3))
    pred = pooled @ W + b
    loss = np.mean((pred - y) ** 2)
    if step % 4 == 0:
        print(step, loss)

    dpred = 2 * (pred - y) / y.size
    dW = pooled.T @ dpred
    db = dpred.sum(axis=0)
    dpooled = dpred @ W.T
    dact = np.ones_like(act) * dpooled[:, :, None, None] / 16
    dout = dact * act * (1 - act)
    dgamma = (dout * norm).sum(axis=axes, keepdims=True)
    dbeta = dout.sum(axis=axes, keepdims=True)
    dnorm = dout * gamma
    dz = inv * (dnorm - dnorm.mean(axis=axes, keepdims=True) - norm * (dnorm * norm).mean(axis=axes, keepdims=True))
    dK = np.zeros_like(K)
    for i in range(4):
        for j in range(4):
            dK += np.einsum("nf,ncab->fcab", dz[:, :, i, j], x[:, :, i:i + 2, j:j + 2])

    K -= lr * dK
    gamma -= lr * dgamma
    beta -= lr * dbeta
    W -= lr * dW
    b -= lr * db
