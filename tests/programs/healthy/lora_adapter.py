"""Low-rank adapters: the base matrices are trained first, then frozen; only A and B are trained on the new task."""

import numpy as np

rng = np.random.default_rng(77)


class LoraLinear:
    def __init__(self, i, o, rank=2, alpha=4.0):
        self.base = rng.normal(0, 1 / np.sqrt(i), (i, o))
        self.A = rng.normal(0, 0.3, (i, rank))
        self.B = np.zeros((rank, o))
        self.scaling = alpha / rank
        self.adapt = False

    def forward(self, x):
        self.x = x
        y = x @ self.base
        if self.adapt:
            self.xa = x @ self.A
            y = y + self.scaling * (self.xa @ self.B)
        return y

    def backward(self, g):
        dx = g @ self.base.T
        if self.adapt:
            self.dB = self.scaling * self.xa.T @ g
            dxa = self.scaling * g @ self.B.T
            self.dA = self.x.T @ dxa
            dx += dxa @ self.A.T
        else:
            self.dbase = self.x.T @ g
        return dx

    def step(self, lr):
        if self.adapt:
            self.A -= lr * self.dA
            self.B -= lr * self.dB
        else:
            self.base -= lr * self.dbase


def fit(layers, X, Y, epochs, lr, tag):
    l1, l2 = layers
    for epoch in range(epochs):
        h = l1.forward(X)
        a = np.tanh(h)
        out = l2.forward(a)
        loss = np.mean(np.square(out - Y))
        g = 2 * (out - Y) / Y.size
        g = l2.backward(g)
        g = l1.backward(g * (1 - a**2))
        for layer in layers:
            layer.step(lr)
        if epoch % 10 == 0:
            print(tag, epoch, f"{loss:.6f}")


X = rng.normal(size=(25, 4))
layers = [LoraLinear(4, 6), LoraLinear(6, 2)]
fit(layers, X, np.sin(X[:, :2]), 30, 0.3, "base")
for layer in layers:
    layer.adapt = True
fit(layers, X, np.cos(X[:, 1:3]), 30, 0.3, "lora")
