import numpy as np


class Regressor:
    def __init__(self, layout, seed=0):
        rng = np.random.RandomState(seed)
        self.Ws = []
        self.bs = []
        for fan_in, fan_out in zip(layout, layout[1:]):
            self.Ws.append(rng.normal(scale=1 / np.sqrt(fan_in), size=(fan_in, fan_out)))
            self.bs.append(np.zeros((1, fan_out)))
        self.cache_W = [np.zeros_like(W) for W in self.Ws]
        self.cache_b = [np.zeros_like(b) for b in self.bs]

    def elu(self, z):
        return np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1)

    def predict(self, X):
        self.A = [X]
        self.Z = []
        for i in range(len(self.Ws)):
            self.Z.append(self.A[i] @ self.Ws[i] + self.bs[i])
            if i < len(self.Ws) - 1:
                self.A.append(self.elu(self.Z[i]))
        return self.Z[-1]

    def gradients(self, X, Y):
        out = self.predict(X)
        self.dWs = [None] * len(self.Ws)
        self.dbs = [None] * len(self.bs)
        d = 2 * (out - Y) / Y.size
        for i in range(len(self.Ws) - 1, -1, -1):
            self.dWs[i] = self.A[i].T @ d
            self.dbs[i] = np.sum(d, axis=0, keepdims=True)
            if i > 0:
                d = d @ self.Ws[i].T
                d = d * np.where(self.Z[i - 1] > 0, 1, self.A[i] + 1)

    def step(self, lr=0.01, decay=0.9, eps=1e-7):
        for i in range(len(self.Ws)):
            self.cache_W[i] = decay * self.cache_W[i] + (1 - decay) * self.dWs[i] ** 2
            self.cache_b[i] = decay * self.cache_b[i] + (1 - decay) * self.dbs[i] ** 2
            self.Ws[i] -= lr * self.dWs[i] / (np.sqrt(self.cache_W[i]) + eps)
            self.bs[i] -= lr * self.dbs[i] / (np.sqrt(self.cache_b[i]) + eps)

    def mse(self, X, Y):
        return np.mean((self.predict(X) - Y) ** 2)


gen = np.random.RandomState(9)
X = gen.uniform(-1, 1, (64, 3))
Y = np.c_[X[:, 0] * X[:, 1], np.abs(X[:, 2])]
net = Regressor([3, 7, 5, 2], seed=4)
for epoch in range(300):
    net.gradients(X, Y)
    net.step()
    if (epoch + 1) % 50 == 0:
        print("epoch", epoch + 1, "mse", net.mse(X, Y))
