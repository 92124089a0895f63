import numpy as np

rng = np.random.default_rng(10)
n, keep = 6, 0.75
x = rng.normal(size=(n, 6))
y = rng.integers(0, 3, n)
one_hot = np.eye(3)[y]
W1, b1 = rng.normal(size=(6, 6)) * 0.6, rng.normal(size=6) * 0.1
W2, b2 = rng.normal(size=(6, 6)) * 0.6, rng.normal(size=6) * 0.1
W3, b3 = rng.normal(size=(6, 3)) * 0.6, rng.normal(size=3) * 0.1
mask = (rng.random((n, 6)) < keep).astype(float)
lr = 0.3

for step in range(30):
    h1 = np.tanh(x @ W1 + b1)
    h1d = h1 * mask / keep
    h2 = np.tanh(h1d @ W2 + b2)
    scores = h2 @ W3 + b3
    probs = np.exp(scores)
    probs = probs / probs.sum(axis=1, keepdims=True)
    loss = -(one_hot * np.log(probs)).sum() / n
    if step % 10 == 0:
        print(step, loss)

    dscores = (probs - one_hot) / n
    dW3 = h2.T @ dscores
    db3 = dscores.sum(axis=0)
    dh2 = dscores @ W3.T
    dz2 = dh2 * (1 - h2 ** 2)
    dW2 = h1d.T @ dz2
    db2 = dz2.sum(axis=0)
    dh1d = dz2 @ W2.T
    dh1 = dh1d * mask / keep
    dz1 = dh1 * (1 - h1 ** 2)
    dW1 = x.T @ dz1
    db1 = dz1.sum(axis=0)

    W1 -= lr * dW1
    b1 -= lr * db1
    W2 -= lr * dW2
    b2 -= lr * db2
    W3 -= lr * dW3
    b3 -= lr * db3
