import numpy as np

rng = np.random.default_rng(27)


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


class BatchNorm:
    def __init__(self, n, eps=1e-5):
        self.params, self.grads = {}, {}
        self.params["gamma"] = 1 + 0.2 * rng.normal(size=n)
        self.params["beta"] = 0.2 * rng.normal(size=n)
        self.eps = eps

    def forward(self, x):
        self.xc = x - x.mean(axis=0)
        self.std = np.sqrt((self.xc ** 2).mean(axis=0) + self.eps)
        self.xhat = self.xc / self.std
        return self.params["gamma"] * self.xhat + self.params["beta"]

    def backward(self, dout):
        n = len(dout)
        self.grads["gamma"] = (dout * self.xhat).sum(axis=0)
        self.grads["beta"] = dout.sum(axis=0)
        dxhat = dout * self.params["gamma"]
        dstd = -(dxhat * self.xc).sum(axis=0) / self.std ** 2
        dxc = dxhat / self.std + dstd * self.xc / (n * self.std)
        return dxc - dxc.mean(axis=0)

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


def softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def loss_function(scores, y):
    return -np.mean(np.log(softmax(scores)[np.arange(len(y)), y]))


def loss_gradient(scores, y):
    d = softmax(scores)
    d[np.arange(len(y)), y] -= 1
    return d / len(y)


x = rng.normal(size=(16, 4))
y = rng.integers(0, 3, 16)

layers = [Dense(4, 6), BatchNorm(6), Tanh(), Dense(6, 3)]
lr = 0.2

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
