import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(5, 5))
y = np.sin(x) * x[:, ::-1]

W1 = rng.normal(size=(5, 5)) * 0.5
b1 = rng.normal(size=5) * 0.1
W2 = rng.normal(size=(5, 5)) * 0.5
b2 = rng.normal(size=5) * 0.1
lr = 0.1

for step in range(30):
    z1 = x @ W1 + b1
    a1 = np.tanh(z1)
    out = a1 @ W2 + b2
    loss = np.mean((out - y) ** 2)
    if step % 10 == 0:
        print(step, loss)

    dout = 2 * (out - y) / y.size
    dW2 = a1.T @ dout
    db2 = dout.sum(axis=0)
    da1 = dout @ W2.T
    dz1 = da1 * (1 - a1 ** 2)
    dW1 = x.T @ dz1
    db1 = dz1.sum(axis=0)

    W1 -= lr * dW1
    b1 -= lr * db1
    W2 -= lr * dW2
    b2 -= lr * db2
