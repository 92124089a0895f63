import numpy as np

rng = np.random.default_rng(23)


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


class Softplus:
    def forward(self, x):
        self.x = x
        return np.log(1 + np.exp(x))

    def backward(self, dout, lr):
        return dout / (1 + np.exp(-self.x))


class LeakyReLU:
    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, 0.2 * x)

    def backward(self, dout, lr):
        return dout * np.where(self.x > 0, 1, 0.2)


class ELU:
    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, np.exp(x) - 1)

    def backward(self, dout, lr):
        return dout * np.where(self.x > 0, 1, np.exp(self.x))


class Sigmoid:
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout, lr):
        return dout * self.out * (1 - self.out)


def loss_function(pred, y):
    return 0.5 * np.sum((pred - y) ** 2)


def loss_gradient(pred, y):
    return pred - y


x = rng.normal(size=(9, 3))
y = np.c_[x[:, 0] ** 2, x[:, 1] - x[:, 2]]

layers = [Dense(3, 5), Softplus(), Dense(5, 5), LeakyReLU(), Dense(5, 4), ELU(), Dense(4, 4), Sigmoid(), Dense(4, 2)]
lr = 0.01

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
