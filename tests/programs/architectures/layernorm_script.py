import numpy as np

np.random.seed(9)
B, D, H = 6, 6, 6
x = np.random.randn(B, D)
y = np.random.randn(B, 2)
W1 = np.random.randn(D, H)
b1 = np.random.randn(H) * 0.1
g = 1 + np.random.randn(H) * 0.2
s = np.random.randn(H) * 0.2
W2 = np.random.randn(H, 2) * 0.5
b2 = np.random.randn(2) * 0.1
c = np.sqrt(2 / np.pi)
lr = 0.05

for epoch in range(30):
    z = x @ W1 + b1
    mean = z.mean(axis=1, keepdims=True)
    rstd = 1 / np.sqrt(z.var(axis=1, keepdims=True) + 1e-5)
    zhat = (z - mean) * rstd
    u = zhat * g + s
    th = np.tanh(c * (u + 0.044715 * u ** 3))
    h = 0.5 * u * (1 + th)
    pred = h @ W2 + b2
    loss = ((pred - y) ** 2).sum() / B
    if epoch % 10 == 0:
        print(epoch, loss)

    dpred = 2 * (pred - y) / B
    dW2 = h.T @ dpred
    db2 = dpred.sum(axis=0)
    dh = dpred @ W2.T
    du = dh * (0.5 * (1 + th) + 0.5 * u * (1 - th ** 2) * c * (1 + 3 * 0.044715 * u ** 2))
    dg = (du * zhat).sum(axis=0)
    ds = du.sum(axis=0)
    dzhat = du * g
    dz = rstd * (dzhat - dzhat.mean(axis=1, keepdims=True) - zhat * (dzhat * zhat).mean(axis=1, keepdims=True))
    dW1 = x.T @ dz
    db1 = dz.sum(axis=0)

    W1 -= lr * dW1
    b1 -= lr * db1
    g -= lr * dg
    s -= lr * ds
    W2 -= lr * dW2
    b2 -= lr * db2
