import numpy as np

np.random.seed(2)
n, h, c, f = 6, 6, 2, 3
x = np.random.randn(n, h, h, c)
y = np.random.randint(0, 3, n)
K = np.random.randn(3, 3, c, f) * 0.4
kb = np.random.rand(f) * 0.2
W = np.random.randn(2 * 2 * f, 3) * 0.4
b = np.random.randn(3) * 0.1
lr = 0.1
o = h - 2


def im2col(images):
    cols = np.zeros((n, o, o, 3 * 3 * c))
    for i in range(o):
        for j in range(o):
            cols[:, i, j] = images[:, i:i + 3, j:j + 3].reshape(n, -1)
    return cols.reshape(n * o * o, -1)


for epoch in range(12):
    cols = im2col(x)
    z = (cols @ K.reshape(-1, f) + kb).reshape(n, o, o, f)
    a = np.maximum(z, 0)
    windows = a.reshape(n, o // 2, 2, o // 2, 2, f)
    pooled = windows.max(axis=(2, 4))
    flat = pooled.reshape(n, -1)
    scores = flat @ W + b
    p = np.exp(scores)
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[range(n), y]).mean()
    if epoch % 4 == 0:
        print("epoch", epoch, "loss", loss)

    ds = p.copy()
    ds[range(n), y] -= 1
    ds = ds / n
    dW = flat.T @ ds
    db = ds.sum(axis=0)
    dpooled = (ds @ W.T).reshape(pooled.shape)
    mask = windows == pooled[:, :, None, :, None, :]
    da = (mask * dpooled[:, :, None, :, None, :]).reshape(a.shape)
    dz = da * (z > 0)
    dcols = dz.reshape(-1, f)
    dK = (cols.T @ dcols).reshape(K.shape)
    dkb = dcols.sum(axis=0)

    K -= lr * dK
    kb -= lr * dkb
    W -= lr * dW
    b -= lr * db
