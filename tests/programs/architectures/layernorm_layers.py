import numpy as np

rng = np.random.default_rng(29)


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


class LayerNorm:
    def __init__(self, n, eps=1e-5):
        self.g = 1 + 0.2 * rng.normal(size=n)
        self.s = 0.2 * rng.normal(size=n)
        self.eps = eps

    def forward(self, x):
        mean = x.mean(axis=-1, keepdims=True)
        self.rstd = 1 / np.sqrt(x.var(axis=-1, keepdims=True) + self.eps)
        self.xhat = (x - mean) * self.rstd
        return self.xhat * self.g + self.s

    def backward(self, dout, lr):
        dg = np.sum(dout * self.xhat, axis=0)
        ds = np.sum(dout, axis=0)
        dxhat = dout * self.g
        inner = dxhat - dxhat.mean(axis=-1, keepdims=True)
        inner = inner - self.xhat * np.mean(dxhat * self.xhat, axis=-1, keepdims=True)
        dx = self.rstd * inner
        self.g -= lr * dg
        self.s -= lr * ds
        return dx


class GELU:
    def forward(self, x):
        self.x = x
        self.t = np.tanh(0.7978845608028654 * (x + 0.044715 * x ** 3))
        return 0.5 * x * (1 + self.t)

    def backward(self, dout, lr):
        inner = 0.7978845608028654 * (1 + 3 * 0.044715 * self.x ** 2)
        return dout * (0.5 * (1 + self.t) + 0.5 * self.x * (1 - self.t ** 2) * inner)


def loss_function(pred, y):
    return np.sum((pred - y) ** 2) / len(y)


def loss_gradient(pred, y):
    return 2 * (pred - y) / len(y)


x = rng.normal(size=(10, 3))
y = rng.normal(size=(10, 2))

layers = [Dense(3, 6), LayerNorm(6), GELU(), Dense(6, 2)]
lr = 0.05

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
