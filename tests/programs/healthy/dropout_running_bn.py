import numpy as np

rng = np.random.default_rng(33)


class Dense:
    def __init__(self, i, o):
        self.W, self.b = rng.normal(size=(i, o)) * np.sqrt(2 / i), np.zeros(o)

    def forward(self, x, train):
        self.x = x
        return x @ self.W + self.b

    def backward(self, g):
        self.dW, self.db = self.x.T @ g, g.sum(0)
        return g @ self.W.T


class BatchNorm:
    def __init__(self, n, momentum=0.9):
        self.gamma, self.beta = np.ones(n), np.zeros(n)
        self.mu, self.var, self.momentum = np.zeros(n), np.ones(n), momentum

    def forward(self, x, train):
        if not train:
            return self.gamma * (x - self.mu) / np.sqrt(self.var + 1e-5) + self.beta
        m, v = x.mean(0), x.var(0)
        self.mu = self.momentum * self.mu + (1 - self.momentum) * m
        self.var = self.momentum * self.var + (1 - self.momentum) * v
        self.std = np.sqrt(v + 1e-5)
        self.xhat = (x - m) / self.std
        return self.gamma * self.xhat + self.beta

    def backward(self, g):
        self.dgamma, self.dbeta = (g * self.xhat).sum(0), g.sum(0)
        n = len(g)
        gx = g * self.gamma
        return (n * gx - gx.sum(0) - self.xhat * (gx * self.xhat).sum(0)) / (n * self.std)


class Dropout:
    def __init__(self, keep):
        self.keep = keep

    def forward(self, x, train):
        if not train:
            return x
        self.mask = (rng.random(x.shape) < self.keep) / self.keep
        return x * self.mask

    def backward(self, g):
        return g * self.mask


class Relu:
    def forward(self, x, train):
        self.on = x > 0
        return np.where(self.on, x, 0)

    def backward(self, g):
        return g * self.on


X = rng.normal(size=(64, 6))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)
layers = [Dense(6, 16), BatchNorm(16), Relu(), Dropout(0.8), Dense(16, 2)]


def run(x, train):
    for layer in layers:
        x = layer.forward(x, train)
    return x


for epoch in range(6):
    for s in range(0, 64, 32):
        xb, yb = X[s : s + 32], Y[s : s + 32]
        z = run(xb, True)
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        loss = -np.log(p[np.arange(len(yb)), yb]).mean()
        g = p
        g[np.arange(len(yb)), yb] -= 1
        g /= len(yb)
        for layer in reversed(layers):
            g = layer.backward(g)
        for layer in layers:
            for name in ("W", "b", "gamma", "beta"):
                if hasattr(layer, name):
                    setattr(layer, name, getattr(layer, name) - 0.1 * getattr(layer, "d" + name))
    print(epoch, loss, (run(X, False).argmax(1) == Y).mean())
