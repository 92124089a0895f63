import numpy as np

rng = np.random.default_rng(22)


class Dense:
    def __init__(self, n_in, n_out):
        self.W = rng.normal(size=(n_out, n_in))
        self.b = 0.3 * rng.normal(size=(n_out, 1))

    def forward(self, x):
        self.x = x
        return np.dot(self.W, x) + self.b

    def backward(self, dout):
        self.dW = np.dot(dout, self.x.T)
        self.db = np.sum(dout, axis=1, keepdims=True)
        return np.dot(self.W.T, dout)

    def step(self, lr):
        self.W -= lr * self.dW
        self.b -= lr * self.db


class Sigmoid:
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout):
        return dout * self.out * (1 - self.out)

    def step(self, lr):
        pass


def loss_function(p, y):
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)) / y.size


def loss_gradient(p, y):
    return (p - y) / (p * (1 - p)) / y.size


x = rng.normal(size=(3, 14))
y = (x[0:1] * x[1:2] + x[2:3] > 0) * 1.0

layers = [Dense(3, 5), Sigmoid(), Dense(5, 4), Sigmoid(), Dense(4, 1), Sigmoid()]
lr = 0.5

for epoch in range(30):
    out = x
    for layer in layers:
        out = layer.forward(out)
    loss = loss_function(out, y)
    if epoch % 10 == 0:
        print("epoch", epoch, "loss", loss)

    grad = loss_gradient(out, y)
    for layer in reversed(layers):
        grad = layer.backward(grad)
    for layer in layers:
        layer.step(lr)
