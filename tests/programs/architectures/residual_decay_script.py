import numpy as np

rng = np.random.default_rng(15)
x = rng.normal(size=(4, 4))
y = rng.normal(size=(4, 4))
W0, b0 = rng.normal(size=(4, 4)) * 0.6, rng.normal(size=4) * 0.1
W1, b1 = rng.normal(size=(4, 4)) * 0.6, rng.normal(size=4) * 0.1
W2, b2 = rng.normal(size=(4, 4)) * 0.6, rng.normal(size=4) * 0.1
W3, b3 = rng.normal(size=(4, 4)) * 0.6, rng.normal(size=4) * 0.1
reg = 0.01
lr = 0.1

for step in range(30):
    h0 = x @ W0 + b0
    f1 = np.tanh(h0 @ W1 + b1)
    h1 = h0 + f1
    f2 = np.tanh(h1 @ W2 + b2)
    h2 = h1 + f2
    out = h2 @ W3 + b3
    data_loss = np.mean((out - y) ** 2)
    reg_loss = 0.5 * reg * (np.sum(W0 ** 2) + np.sum(W1 ** 2) + np.sum(W2 ** 2) + np.sum(W3 ** 2))
    loss = data_loss + reg_loss
    if step % 10 == 0:
        print(step, loss)

    dout = 2 * (out - y) / out.size
    dW3 = h2.T @ dout + reg * W3
    db3 = dout.sum(axis=0)
    dh2 = dout @ W3.T
    dz2 = dh2 * (1 - f2 ** 2)
    dW2 = h1.T @ dz2 + reg * W2
    db2 = dz2.sum(axis=0)
    dh1 = dh2 + dz2 @ W2.T
    dz1 = dh1 * (1 - f1 ** 2)
    dW1 = h0.T @ dz1 + reg * W1
    db1 = dz1.sum(axis=0)
    dh0 = dh1 + dz1 @ W1.T
    dW0 = x.T @ dh0 + reg * W0
    db0 = dh0.sum(axis=0)

    W0 -= lr * dW0
    b0 -= lr * db0
    W1 -= lr * dW1
    b1 -= lr * db1
    W2 -= lr * dW2
    b2 -= lr * db2
    W3 -= lr * dW3
    b3 -= lr * db3
