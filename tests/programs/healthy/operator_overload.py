"""Modules composed with `>>` and called; every module gives back its pullback as a closure."""

import numpy as np

rng = np.random.default_rng(15)


class Module:
    def __rshift__(self, other):
        return Chain(self, other)

    def sgd(self, lr):
        pass


class Chain(Module):
    def __init__(self, first, second):
        self.first, self.second = first, second

    def __call__(self, x):
        mid, back1 = self.first(x)
        out, back2 = self.second(mid)
        return out, lambda g: back1(back2(g))

    def sgd(self, lr):
        self.first.sgd(lr)
        self.second.sgd(lr)


class Affine(Module):
    def __init__(self, i, o):
        self.M = rng.normal(0, 1 / np.sqrt(i), (i, o))
        self.t = np.zeros(o)

    def __call__(self, x):
        def pullback(g):
            self.gM, self.gt = x.T @ g, g.sum(axis=0)
            return g @ self.M.T

        return x @ self.M + self.t, pullback

    def sgd(self, lr):
        self.M = self.M - lr * self.gM
        self.t = self.t - lr * self.gt


class Elu(Module):
    def __call__(self, x):
        y = np.where(x > 0, x, np.expm1(np.minimum(x, 0)))
        return y, lambda g: g * np.where(x > 0, 1, y + 1)


class Softplus(Module):
    def __call__(self, x):
        return np.logaddexp(0, x), lambda g: g / (1 + np.exp(-x))


class Residual(Module):
    def __init__(self, inner):
        self.inner = inner

    def __call__(self, x):
        y, back = self.inner(x)
        return x + y, lambda g: g + back(g)

    def sgd(self, lr):
        self.inner.sgd(lr)


net = Affine(3, 6) >> Elu() >> Residual(Affine(6, 6) >> Softplus()) >> Residual(Affine(6, 6) >> Elu()) >> Affine(6, 1)
X = rng.normal(size=(24, 3))
y = np.prod(X, axis=1, keepdims=True)
for epoch in range(40):
    out, pull = net(X)
    diff = out - y
    loss = float(np.mean(diff * diff))
    pull(2 * diff / len(X))
    net.sgd(0.05)
    if epoch % 10 == 0:
        print(f"{epoch:>3} {loss:.6f}")
