import numpy as np

rng = np.random.default_rng(1)
X = rng.standard_normal((10, 3))
Y = np.sin(X[:, :2])

W1 = rng.standard_normal((3, 4)) * 0.5
b1 = np.zeros(4)
W2 = rng.standard_normal((4, 2)) * 0.5
b2 = np.zeros(2)
lr = 0.1

for epoch in range(40):  # noqa: B007
    z1 = X @ W1 + b1
    a1 = np.tanh(z1)
    out = a1 @ W2 + b2
    error = out - Y
    loss = np.sum(error**2) / len(X)

    d_out = 2 * error / len(X)
    dW2 = a1.T @ d_out
    db2 = d_out.sum(axis=0)
    d_hidden = d_out @ W2.T * (1 - a1**2)
    dW1 = X.T @ d_hidden
    db1 = d_hidden.sum(axis=0)

    W1 -= lr * dW1
    b1 -= lr * db1
    W2 -= lr * dW2
    b2 -= lr * db2
print(loss)
