import numpy as np

np.random.seed(7)
N = 6
X = np.random.randn(N, 6)
t = np.random.randint(0, 3, N)
W1 = np.random.randn(6, 6) * 0.6
b1 = np.zeros(6)
gamma = 1 + 0.2 * np.random.randn(6)
beta = 0.2 * np.random.randn(6)
W2 = np.random.randn(6, 3) * 0.6
b2 = np.zeros(3)
eps = 1e-5
lr = 0.2

for step in range(30):
    z = X @ W1 + b1
    mu = z.mean(axis=0)
    zc = z - mu
    var = (zc ** 2).mean(axis=0)
    std = np.sqrt(var + eps)
    xhat = zc / std
    zn = gamma * xhat + beta
    a = np.tanh(zn)
    s = a @ W2 + b2
    p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    loss = -np.log(p[range(N), t]).mean()
    if step % 10 == 0:
        print(step, loss)

    ds = p.copy()
    ds[range(N), t] -= 1
    ds /= N
    dW2 = a.T @ ds
    db2 = ds.sum(axis=0)
    da = ds @ W2.T
    dzn = da * (1 - a ** 2)
    dgamma = (dzn * xhat).sum(axis=0)
    dbeta = dzn.sum(axis=0)
    dxhat = dzn * gamma
    dvar = -0.5 * (dxhat * zc).sum(axis=0) / std ** 3
    dmu = -dxhat.sum(axis=0) / std - 2 * dvar * zc.mean(axis=0)
    dz = dxhat / std + 2 * dvar * zc / N + dmu / N
    dW1 = X.T @ dz
    db1 = dz.sum(axis=0)

    W1 -= lr * dW1
    b1 -= lr * db1
    gamma -= lr * dgamma
    beta -= lr * dbeta
    W2 -= lr * dW2
    b2 -= lr * db2
