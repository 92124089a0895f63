import numpy as np

rng = np.random.default_rng(24)


class Conv:
    def __init__(self, n_in, n_out, size, stride=1, pad=0):
        self.params, self.grads = {}, {}
        self.params["K"] = rng.normal(size=(n_out, n_in, size, size)) * 0.4
        self.params["b"] = 0.1 * rng.normal(size=n_out)
        self.size, self.stride, self.pad = size, stride, pad

    def forward(self, x):
        p, k, s = self.pad, self.size, self.stride
        self.x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        side = (self.x.shape[2] - k) // s + 1
        out = np.zeros((len(x), len(self.params["K"]), side, side))
        for i in range(side):
            for j in range(side):
                patch = self.x[:, :, i * s:i * s + k, j * s:j * s + k]
                out[:, :, i, j] = np.tensordot(patch, self.params["K"], axes=([1, 2, 3], [1, 2, 3])) + self.params["b"]
        return out

    def backward(self, dout):
        p, k, s = self.pad, self.size, self.stride
        self.grads["K"] = np.zeros_like(self.params["K"])
        dx = np.zeros_like(self.x)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                patch = self.x[:, :, i * s:i * s + k, j * s:j * s + k]
                self.grads["K"] += np.tensordot(dout[:, :, i, j], patch, axes=(0, 0))
                dx[:, :, i * s:i * s + k, j * s:j * s + k] += np.tensordot(dout[:, :, i, j], self.params["K"], axes=(1, 0))
        self.grads["b"] = dout.sum(axis=(0, 2, 3))
        return dx[:, :, p:dx.shape[2] - p, p:dx.shape[3] - p]

    def step(self, lr):
        for key in self.params:
            self.params[key] -= lr * self.grads[key]


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out ** 2)

    def step(self, lr):
        pass


class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dout):
        return dout.reshape(self.shape)

    def step(self, lr):
        pass


class Dense:
    def __init__(self, n_in, n_out):
        self.params, self.grads = {}, {}
        self.params["W"] = rng.normal(size=(n_in, n_out)) / np.sqrt(n_in)
        self.params["b"] = 0.1 * rng.normal(size=n_out)

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads["W"] = self.x.T @ dout
        self.grads["b"] = dout.sum(axis=0)
        return dout @ self.params["W"].T

    def step(self, lr):
        for key in self.params:
            self.params[key] -= lr * self.grads[key]


def softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def loss_function(scores, y):
    return -np.mean(np.log(softmax(scores)[np.arange(len(y)), y]))


def loss_gradient(scores, y):
    d = softmax(scores)
    d[np.arange(len(y)), y] -= 1
    return d / len(y)


x = rng.normal(size=(5, 2, 7, 7))
y = rng.integers(0, 3, 5)

layers = [Conv(2, 3, 3, stride=2), Tanh(), Flatten(), Dense(27, 3)]
lr = 0.1

for epoch in range(12):
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
