import numpy as np

rng = np.random.default_rng(28)


class Conv:
    def __init__(self, n_in, n_out, size, stride=1, pad=0):
        self.K = rng.normal(size=(n_out, n_in, size, size)) * 0.4
        self.b = 0.1 * rng.normal(size=n_out)
        self.size, self.stride, self.pad = size, stride, pad

    def forward(self, x):
        p, k, s = self.pad, self.size, self.stride
        self.x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        side = (self.x.shape[2] - k) // s + 1
        out = np.zeros((len(x), len(self.K), side, side))
        for i in range(side):
            for j in range(side):
                patch = self.x[:, :, i * s:i * s + k, j * s:j * s + k]
                out[:, :, i, j] = np.tensordot(patch, self.K, axes=([1, 2, 3], [1, 2, 3])) + self.b
        return out

    def backward(self, dout, lr):
        p, k, s = self.pad, self.size, self.stride
        dK = np.zeros_like(self.K)
        dx = np.zeros_like(self.x)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                patch = self.x[:, :, i * s:i * s + k, j * s:j * s + k]
                dK += np.tensordot(dout[:, :, i, j], patch, axes=(0, 0))
                dx[:, :, i * s:i * s + k, j * s:j * s + k] += np.tensordot(dout[:, :, i, j], self.K, axes=(1, 0))
        db = dout.sum(axis=(0, 2, 3))
        dx = dx[:, :, p:dx.shape[2] - p, p:dx.shape[3] - p]
        self.K -= lr * dK
        self.b -= lr * db
        return dx


class BatchNorm2d:
    def __init__(self, n, eps=1e-5):
        self.gamma = 1 + 0.2 * rng.normal(size=(1, n, 1, 1))
        self.beta = 0.2 * rng.normal(size=(1, n, 1, 1))
        self.eps = eps

    def forward(self, x):
        mean = np.mean(x, axis=(0, 2, 3), keepdims=True)
        self.inv = 1 / np.sqrt(np.var(x, axis=(0, 2, 3), keepdims=True) + self.eps)
        self.norm = (x - mean) * self.inv
        return self.gamma * self.norm + self.beta

    def backward(self, dout, lr):
        m = dout.size / dout.shape[1]
        dgamma = np.sum(dout * self.norm, axis=(0, 2, 3), keepdims=True)
        dbeta = np.sum(dout, axis=(0, 2, 3), keepdims=True)
        dx = self.gamma * self.inv / m * (m * dout - dbeta - self.norm * dgamma)
        self.gamma -= lr * dgamma
        self.beta -= lr * dbeta
        return dx


class Sigmoid:
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout, lr):
        return dout * self.out * (1 - self.out)


class GlobalMean:
    def forward(self, x):
        self.shape = x.shape
        return x.mean(axis=(2, 3))

    def backward(self, dout, lr):
        return np.ones(self.shape) * dout[:, :, None, None] / (self.shape[2] * self.shape[3])


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


def loss_function(pred, y):
    return np.mean((pred - y) ** 2)


def loss_gradient(pred, y):
    return 2 * (pred - y) / y.size


x = rng.normal(size=(4, 2, 5, 5))
y = rng.normal(size=(4, 2))

layers = [Conv(2, 3, 2), BatchNorm2d(3), Sigmoid(), GlobalMean(), Dense(3, 2)]
lr = 0.3

for epoch in range(12):
    out = x
    for layer in layers:
        out = layer.forward(out)
    loss = loss_function(out, y)
    grad = loss_gradient(out, y)
    for layer in reversed(layers):
        grad = layer.backward(grad, lr)
    if epoch % 10 == 0:
        print("epoch", epoch, "loss", loss)
