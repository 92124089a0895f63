"""Group normalisation trained with Lion (the sign of a moving average)."""

import numpy as np


class GroupNorm:
    def __init__(self, channels, groups):
        self.gamma, self.beta, self.G = np.ones(channels), np.zeros(channels), groups

    def forward(self, x):
        n, c = x.shape
        xr = x.reshape(n, self.G, c // self.G)
        self.std = np.sqrt(xr.var(axis=2, keepdims=True) + 1e-5)
        self.xhat = ((xr - xr.mean(axis=2, keepdims=True)) / self.std).reshape(n, c)
        return self.xhat * self.gamma + self.beta

    def backward(self, g):
        n, c = g.shape
        self.dgamma = (g * self.xhat).sum(axis=0)
        self.dbeta = g.sum(axis=0)
        gh = (g * self.gamma).reshape(n, self.G, -1)
        xh = self.xhat.reshape(n, self.G, -1)
        dx = (gh - gh.mean(axis=2, keepdims=True) - xh * (gh * xh).mean(axis=2, keepdims=True)) / self.std
        return dx.reshape(n, c)

    def params(self):
        return [(self.gamma, self.dgamma), (self.beta, self.dbeta)]


class Linear:
    def __init__(self, i, o, rng):
        self.W = rng.normal(0, np.sqrt(1 / i), (i, o))
        self.b = np.zeros(o)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, g):
        self.dW = self.x.T @ g
        self.db = g.sum(axis=0)
        return g @ self.W.T

    def params(self):
        return [(self.W, self.dW), (self.b, self.db)]


class Swish:
    def forward(self, x):
        self.x = x
        self.s = 1 / (1 + np.exp(-x))
        return x * self.s

    def backward(self, g):
        return g * (self.s + self.x * self.s * (1 - self.s))

    def params(self):
        return []


class Lion:
    def __init__(self, lr=0.01, b1=0.9, b2=0.99, wd=0.01):
        self.lr, self.b1, self.b2, self.wd = lr, b1, b2, wd
        self.m = {}

    def step(self, layers):
        slot = 0
        for layer in layers:
            for p, g in layer.params():
                m = self.m.setdefault(slot, np.zeros_like(p))
                update = np.sign(self.b1 * m + (1 - self.b1) * g)
                p -= self.lr * (update + self.wd * p)
                self.m[slot] = self.b2 * m + (1 - self.b2) * g
                slot += 1


rng = np.random.default_rng(17)
X = rng.normal(size=(32, 4))
Y = np.stack([X[:, 0] * X[:, 1], X[:, 2] ** 2], axis=1)
net = [Linear(4, 12, rng), GroupNorm(12, 3), Swish(), Linear(12, 2, rng)]
opt = Lion()
for epoch in range(40):
    out = X
    for layer in net:
        out = layer.forward(out)
    loss = ((out - Y) ** 2).mean()
    grad = 2 * (out - Y) / out.size
    for layer in reversed(net):
        grad = layer.backward(grad)
    opt.step(net)
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1}: {loss:.5f}")
