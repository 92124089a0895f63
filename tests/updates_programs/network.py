import numpy as np


class Net:
    def __init__(self, n_in, n_hidden, n_out):
        rng = np.random.default_rng(2)
        self.W1 = rng.standard_normal((n_hidden, n_in)) * 0.5
        self.b1 = np.zeros((n_hidden, 1))
        self.W2 = rng.standard_normal((n_out, n_hidden)) * 0.5
        self.b2 = np.zeros((n_out, 1))

    def forward(self, x):
        self.x = x
        self.z = self.W1 @ x + self.b1
        self.h = 1 / (1 + np.exp(-self.z))
        self.out = self.W2 @ self.h + self.b2
        return self.out

    def backward(self, y):
        n = y.shape[1]
        delta2 = (self.out - y) / n
        self.dW2 = delta2 @ self.h.T
        self.db2 = delta2.sum(axis=1, keepdims=True)
        delta1 = self.W2.T @ delta2 * self.h * (1 - self.h)
        self.dW1 = delta1 @ self.x.T
        self.db1 = delta1.sum(axis=1, keepdims=True)

    def step(self, lr):
        self.W1 = self.W1 - lr * self.dW1
        self.b1 = self.b1 - lr * self.db1
        self.W2 = self.W2 - lr * self.dW2
        self.b2 = self.b2 - lr * self.db2


def train(net, x, y, epochs, lr):
    for epoch in range(epochs):  # noqa: B007
        out = net.forward(x)
        cost = 0.5 * np.sum((out - y) ** 2) / y.shape[1]
        net.backward(y)
        net.step(lr)
    return cost


rng = np.random.default_rng(3)
x = rng.standard_normal((3, 16))
y = np.tanh(x[:2] - x[1:])
print(train(Net(3, 4, 2), x, y, 40, 0.5))
