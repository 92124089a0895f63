import numpy as np

rng = np.random.RandomState(3)
x = rng.randn(4, 4)
y = x ** 2 - x[:, ::-1]
sizes = [4, 4, 4, 4, 4, 4]
W1, W2, W3, W4, W5 = [rng.randn(a, b) * 0.7 for a, b in zip(sizes, sizes[1:])]
b1, b2, b3, b4, b5 = [rng.randn(b) * 0.3 for b in sizes[1:]]
lr = 0.01

for t in range(30):
    z1 = x.dot(W1) + b1
    a1 = np.log(1 + np.exp(z1))
    z2 = a1.dot(W2) + b2
    a2 = np.where(z2 > 0, z2, 0.2 * z2)
    z3 = a2.dot(W3) + b3
    a3 = np.where(z3 > 0, z3, np.exp(z3) - 1)
    z4 = a3.dot(W4) + b4
    a4 = 1 / (1 + np.exp(-z4))
    z5 = a4.dot(W5) + b5
    loss = 0.5 * ((z5 - y) ** 2).sum()
    if t % 10 == 0:
        print(t, loss)

    d5 = z5 - y
    dW5 = a4.T.dot(d5)
    db5 = d5.sum(0)
    d4 = d5.dot(W5.T) * a4 * (1 - a4)
    dW4 = a3.T.dot(d4)
    db4 = d4.sum(0)
    d3 = d4.dot(W4.T) * np.where(z3 > 0, 1, np.exp(z3))
    dW3 = a2.T.dot(d3)
    db3 = d3.sum(0)
    d2 = d3.dot(W3.T) * np.where(z2 > 0, 1, 0.2)
    dW2 = a1.T.dot(d2)
    db2 = d2.sum(0)
    d1 = d2.dot(W2.T) / (1 + np.exp(-z1))
    dW1 = x.T.dot(d1)
    db1 = d1.sum(0)

    W1 -= lr * dW1
    b1 -= lr * db1
    W2 -= lr * dW2
    b2 -= lr * db2
    W3 -= lr * dW3
    b3 -= lr * db3
    W4 -= lr * dW4
    b4 -= lr * db4
    W5 -= lr * dW5
    b5 -= lr * db5
