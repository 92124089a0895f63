import numpy as np

rng = np.random.default_rng(75)


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


class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(0, x)

    def backward(self, dout):
        return dout * (self.x > 0)

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


x = rng.normal(size=(15, 5))
y = rng.integers(0, 3, 15)

layers = [Dense(5, 6), ReLU(), Dense(6, 6), ReLU(), Dense(6, 3)]
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
