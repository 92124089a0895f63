import numpy as np

rng = np.random.default_rng(1)
X = rng.normal(size=(80, 5))
y = X @ rng.normal(size=(5, 1)) + 0.1 * rng.normal(size=(80, 1))
W1 = rng.normal(size=(5, 10)) / np.sqrt(5)
b1 = np.zeros((1, 10))
W2 = rng.normal(size=(10, 1)) / np.sqrt(10)
b2 = np.zeros((1, 1))
base_lr, warmup, total = 0.1, 10, 60


def schedule(step):
    if step < warmup:
        return base_lr * step / warmup
    return 0.5 * base_lr * (1 + np.cos(np.pi * (step - warmup) / (total - warmup)))


for step in range(total):
    lr = schedule(step)
    hidden = np.tanh(X @ W1 + b1)
    out = hidden @ W2 + b2
    loss = np.mean((out - y) ** 2)
    dout = 2 * (out - y) / len(X)
    dW2 = hidden.T @ dout
    db2 = dout.sum(axis=0, keepdims=True)
    dhidden = (dout @ W2.T) * (1 - hidden**2)
    dW1 = X.T @ dhidden
    db1 = dhidden.sum(axis=0, keepdims=True)
    W1 -= lr * dW1
    b1 -= lr * db1
    W2 -= lr * dW2
    b2 -= lr * db2
    if step % 20 == 0:
        print(step, lr, loss)
