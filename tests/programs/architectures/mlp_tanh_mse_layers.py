import numpy as np

rng = np.random.default_rng(20)


class Dense:
    def __init__(self, n_in, n_out):
        self.W = rng.normal(size=(n_in, n_out)) / np.sqrt(n_in)
        self.b = 0.1 * rng.normal(size=n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout, lr):
        dW = self.x.T @ dout
        db = dout.sum(axis=0)
        dx = dout @ self.W.T
        self.W -= lr * dW
        self.b -= lr * db
        return dx


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout, lr):
        return dout * (1 - self.out ** 2)


def loss_function(pred, y):
    return np.mean((pred - y) ** 2)


def loss_gradient(pred, y):
    return 2 * (pred - y) / y.size


x = rng.normal(size=(12, 4))
y = np.stack([np.sin(x[:, 0]), x[:, 1] * x[:, 2]], axis=1)

layers = [Dense(4, 5), Tanh(), Dense(5, 2)]
lr = 0.1

for epoch in range(30):
    out = x
    for layer in layers:
        out = layer.forward(out)
    loss = loss_function(out, y)
    grad = loss_gradient(out, y)
    for layer in reversed(layers):
        grad = layer.backward(grad, lr)
    if epoch % 10 == 0:
        print("epoch", epoch, "loss", loss)
