import numpy as np

rng = np.random.default_rng(64)
X = rng.normal(size=(40, 4))
y = np.sin(X[:, :1])
W, V = rng.normal(size=(4, 9)) * 0.5, rng.normal(size=(9, 1)) * 0.5
lr_hidden, lr_out = 0.2, 0.05
for i in range(30):
    h = np.tanh(X @ W)
    e = h @ V - y
    loss = (e**2).mean()
    dV = 2 * h.T @ e / len(X)
    dW = 2 * X.T @ (e @ V.T * (1 - h**2)) / len(X)
    W -= lr_hidden * dW
    V -= lr_out * dV
print(loss)
