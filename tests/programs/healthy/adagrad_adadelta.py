import numpy as np

rng = np.random.default_rng(17)
X = rng.normal(size=(40, 4))
y = np.sin(X.sum(1, keepdims=True))


class Adagrad:
    def __init__(self, lr=0.1):
        self.lr, self.h = lr, None

    def update(self, params, grads):
        if self.h is None:
            self.h = {k: np.zeros_like(v) for k, v in params.items()}
        for k in params:
            self.h[k] += grads[k] * grads[k]
            params[k] -= self.lr * grads[k] / (np.sqrt(self.h[k]) + 1e-7)


class Adadelta:
    def __init__(self, rho=0.95, eps=1e-6):
        self.rho, self.eps, self.Eg, self.Ed = rho, eps, {}, {}

    def update(self, params, grads):
        for k in params:
            if k not in self.Eg:
                self.Eg[k], self.Ed[k] = np.zeros_like(params[k]), np.zeros_like(params[k])
            self.Eg[k] = self.rho * self.Eg[k] + (1 - self.rho) * grads[k] ** 2
            delta = -np.sqrt(self.Ed[k] + self.eps) / np.sqrt(self.Eg[k] + self.eps) * grads[k]
            self.Ed[k] = self.rho * self.Ed[k] + (1 - self.rho) * delta**2
            params[k] += delta


class Model:
    def __init__(self):
        r = np.random.default_rng(1)
        self.params = {"W1": r.normal(size=(4, 8)) * 0.5, "b1": np.zeros(8), "W2": r.normal(size=(8, 1)) * 0.5, "b2": np.zeros(1)}

    def loss(self, x, t):
        self.h = np.tanh(x @ self.params["W1"] + self.params["b1"])
        self.y = self.h @ self.params["W2"] + self.params["b2"]
        return 0.5 * np.sum((self.y - t) ** 2) / len(x)

    def gradient(self, x, t):
        self.loss(x, t)
        g = {}
        d = (self.y - t) / len(x)
        g["W2"], g["b2"] = self.h.T @ d, d.sum(0)
        d = d @ self.params["W2"].T * (1 - self.h**2)
        g["W1"], g["b1"] = x.T @ d, d.sum(0)
        return g


for optimizer in (Adagrad(), Adadelta()):
    model = Model()
    for i in range(20):
        grads = model.gradient(X, y)
        optimizer.update(model.params, grads)
    print(type(optimizer).__name__, model.loss(X, y))
