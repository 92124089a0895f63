import numpy as np

rng = np.random.default_rng(35)


class Dense:
    def __init__(self, n_in, n_out, reg=0.01):
        self.W = rng.normal(size=(n_in, n_out)) * 0.6
        self.b = 0.1 * rng.normal(size=n_out)
        self.reg = reg

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def penalty(self):
        return 0.5 * self.reg * np.sum(self.W ** 2)

    def backward(self, dout):
        self.dW = self.x.T @ dout + self.reg * self.W
        self.db = dout.sum(axis=0)
        return dout @ self.W.T

    def step(self, lr):
        self.W -= lr * self.dW
        self.b -= lr * self.db


class Residual:
    def __init__(self, n, reg=0.01):
        self.W = rng.normal(size=(n, n)) * 0.6
        self.b = 0.1 * rng.normal(size=n)
        self.reg = reg

    def forward(self, x):
        self.x = x
        self.f = np.tanh(x @ self.W + self.b)
        return x + self.f

    def penalty(self):
        return 0.5 * self.reg * np.sum(self.W ** 2)

    def backward(self, dout):
        dz = dout * (1 - self.f ** 2)
        self.dW = self.x.T @ dz + self.reg * self.W
        self.db = dz.sum(axis=0)
        return dout + dz @ self.W.T

    def step(self, lr):
        self.W -= lr * self.dW
        self.b -= lr * self.db


def loss_function(pred, y):
    return np.mean((pred - y) ** 2)


def loss_gradient(pred, y):
    return 2 * (pred - y) / y.size


x = rng.normal(size=(10, 3))
y = rng.normal(size=(10, 2))

layers = [Dense(3, 4), Residual(4), Residual(4), Dense(4, 2)]
lr = 0.1

for epoch in range(30):
    out = x
    for layer in layers:
        out = layer.forward(out)
    loss = loss_function(out, y) + sum(layer.penalty() for layer in layers)
    if epoch % 10 == 0:
        print("epoch", epoch, "loss", loss)

    grad = loss_gradient(out, y)
    for layer in reversed(layers):
        grad = layer.backward(grad)
    for layer in layers:
        layer.step(lr)
