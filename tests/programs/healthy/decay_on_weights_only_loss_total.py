import numpy as np

rng = np.random.default_rng(63)
X = rng.normal(size=(30, 4))
T = np.eye(2)[(X[:, 0] > 0).astype(int)]
W1, b1 = rng.normal(size=(4, 6)) * 0.5, np.zeros(6)
W2, b2 = rng.normal(size=(6, 2)) * 0.5, np.zeros(2)
lam = 0.01
for i in range(30):
    h = np.tanh(X @ W1 + b1)
    o = h @ W2 + b2
    q = np.exp(o) / np.exp(o).sum(1, keepdims=True)
    data_loss = -(T * np.log(q)).sum() / len(X)
    reg_loss = 0.5 * lam * (np.sum(W1 * W1) + np.sum(W2 * W2))
    loss = data_loss + reg_loss
    d = (q - T) / len(X)
    dW2 = h.T @ d
    db2 = d.sum(0)
    d = d @ W2.T * (1 - h**2)
    dW1 = X.T @ d
    db1 = d.sum(0)
    dW2 += lam * W2
    dW1 += lam * W1
    W1 += -0.5 * dW1
    b1 += -0.5 * db1
    W2 += -0.5 * dW2
    b2 += -0.5 * db2
print(loss)
