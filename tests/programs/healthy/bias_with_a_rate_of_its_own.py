import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


rng = np.random.default_rng(3)
X = rng.standard_normal((3, 30))
Y = (X[:1] * X[1:2] > 0).astype(float)
m = X.shape[1]
W1, b1 = rng.standard_normal((5, 3)), np.zeros((5, 1))
W2, b2 = rng.standard_normal((4, 5)), np.zeros((4, 1))
W3, b3 = rng.standard_normal((1, 4)), np.zeros((1, 1))

for step in range(10):
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1 + b2
    A2 = sigmoid(Z2)
    Z3 = W3 @ A2 + b3
    A3 = sigmoid(Z3)
    cost = -np.mean(Y * np.log(A3) + (1 - Y) * np.log(1 - A3))

    dZ3 = A3 - Y
    dW3 = dZ3 @ A2.T / m
    db3 = dZ3.sum(axis=1, keepdims=True) / m
    dZ2 = W3.T @ dZ3 * A2 * (1 - A2)
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m

    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    W2 -= 0.1 * dW2
    b2 -= 0.2 * db2
    W3 -= 0.1 * dW3
    b3 -= 0.1 * db3
