import numpy as np

rng = np.random.default_rng(32)


class RNN:
    def __init__(self, n_in, n_hidden):
        self.params, self.grads = {}, {}
        self.params["Wxh"] = rng.normal(size=(n_in, n_hidden)) * 0.5
        self.params["Whh"] = rng.normal(size=(n_hidden, n_hidden)) * 0.5
        self.params["bh"] = 0.1 * rng.normal(size=n_hidden)

    def forward(self, xs):
        self.xs = xs
        self.hs = [np.zeros((xs.shape[1], len(self.params["bh"])))]
        for x in xs:
            self.hs.append(np.tanh(x @ self.params["Wxh"] + self.hs[-1] @ self.params["Whh"] + self.params["bh"]))
        return np.array(self.hs[1:])

    def backward(self, dout):
        self.grads["Wxh"] = np.zeros_like(self.params["Wxh"])
        self.grads["Whh"] = np.zeros_like(self.params["Whh"])
        self.grads["bh"] = np.zeros_like(self.params["bh"])
        carried = np.zeros_like(self.hs[0])
        for t in range(len(self.xs) - 1, -1, -1):
            dh = dout[t] + carried
            dz = dh * (1 - self.hs[t + 1] ** 2)
            self.grads["Wxh"] += self.xs[t].T @ dz
            self.grads["Whh"] += self.hs[t].T @ dz
            self.grads["bh"] += dz.sum(axis=0)
            carried = dz @ self.params["Whh"].T
        return None

    def step(self, lr):
        for key in self.params:
            self.params[key] -= lr * self.grads[key]


class TimeDense:
    def __init__(self, n_in, n_out):
        self.params, self.grads = {}, {}
        self.params["W"] = rng.normal(size=(n_in, n_out)) * 0.5
        self.params["b"] = 0.1 * rng.normal(size=n_out)

    def forward(self, xs):
        self.xs = xs
        return xs @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads["W"] = sum(x.T @ d for x, d in zip(self.xs, dout))
        self.grads["b"] = dout.sum(axis=(0, 1))
        return dout @ self.params["W"].T

    def step(self, lr):
        for key in self.params:
            self.params[key] -= lr * self.grads[key]


def loss_function(pred, y):
    return 0.5 * np.sum((pred - y) ** 2) / y.shape[1]


def loss_gradient(pred, y):
    return (pred - y) / y.shape[1]


x = rng.normal(size=(5, 4, 3))
y = 0.5 * rng.normal(size=(5, 4, 2))

layers = [RNN(3, 4), TimeDense(4, 2)]
lr = 0.05

for epoch in range(20):
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
