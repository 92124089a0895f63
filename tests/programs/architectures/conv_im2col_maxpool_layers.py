import numpy as np

rng = np.random.default_rng(65)


class ConvIm2col:
    def __init__(self, n_in, n_out, size):
        self.K = rng.normal(size=(size, size, n_in, n_out)) * 0.4
        self.b = 0.2 * rng.random(n_out)
        self.size = size

    def im2col(self, x):
        k, side = self.size, x.shape[1] - self.size + 1
        cols = [x[:, i:i + k, j:j + k].reshape(len(x), -1) for i in range(side) for j in range(side)]
        return np.stack(cols, axis=1)

    def forward(self, x):
        self.side = x.shape[1] - self.size + 1
        self.cols = self.im2col(x)
        out = self.cols @ self.K.reshape(-1, self.K.shape[-1]) + self.b
        return out.reshape(len(x), self.side, self.side, -1)

    def backward(self, dout, lr):
        flat = dout.reshape(-1, dout.shape[-1])
        dK = (self.cols.reshape(len(flat), -1).T @ flat).reshape(self.K.shape)
        db = flat.sum(axis=0)
        self.K -= lr * dK
        self.b -= lr * db
        return None


class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(0, x)

    def backward(self, dout, lr):
        return dout * (self.x > 0)


class MaxPool:
    def forward(self, x):
        n, h, w, c = x.shape
        self.windows = x.reshape(n, h // 2, 2, w // 2, 2, c)
        self.out = self.windows.max(axis=(2, 4))
        self.shape = x.shape
        return self.out

    def backward(self, dout, lr):
        hit = self.windows == self.out[:, :, None, :, None, :]
        return (hit * dout[:, :, None, :, None, :]).reshape(self.shape)


class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dout, lr):
        return dout.reshape(self.shape)


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


def softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def loss_function(scores, y):
    return -np.mean(np.log(softmax(scores)[np.arange(len(y)), y]))


def loss_gradient(scores, y):
    d = softmax(scores)
    d[np.arange(len(y)), y] -= 1
    return d / len(y)


x = rng.normal(size=(6, 6, 6, 2))
y = rng.integers(0, 3, 6)

layers = [ConvIm2col(2, 3, 3), ReLU(), MaxPool(), Flatten(), Dense(12, 3)]
lr = 0.1

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
