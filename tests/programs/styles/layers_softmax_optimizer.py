import numpy as np


class Linear:
    def __init__(self, n_in, n_out, rng):
        self.params = {"w": rng.normal(0, 0.5, (n_in, n_out)), "b": np.zeros(n_out)}
        self.grads = {}

    def forward_pass(self, x):
        self.x = x
        return x @ self.params["w"] + self.params["b"]

    def backward_pass(self, dout):
        self.grads["w"] = self.x.T @ dout
        self.grads["b"] = dout.sum(axis=0)
        return dout @ self.params["w"].T


class LeakyReLU:
    def __init__(self, alpha=0.1):
        self.alpha = alpha
        self.params = {}
        self.grads = {}

    def forward_pass(self, x):
        self.mask = x > 0
        return np.where(self.mask, x, self.alpha * x)

    def backward_pass(self, dout):
        return dout * np.where(self.mask, 1.0, self.alpha)


class SoftmaxCrossEntropy:
    def forward_pass(self, scores, labels):
        shifted = scores - scores.max(axis=1, keepdims=True)
        e = np.exp(shifted)
        self.p = e / e.sum(axis=1, keepdims=True)
        self.labels = labels
        return -np.log(self.p[np.arange(len(labels)), labels]).mean()

    def backward_pass(self):
        dscores = self.p.copy()
        dscores[np.arange(len(self.labels)), self.labels] -= 1
        return dscores / len(self.labels)


class SGD:
    def __init__(self, lr):
        self.lr = lr

    def step(self, layers):
        for layer in layers:
            for key in layer.params:
                layer.params[key] = layer.params[key] - self.lr * layer.grads[key]


rng = np.random.default_rng(3)
n = 60
inputs = rng.normal(size=(n, 4))
targets = (inputs[:, 0] + 0.5 * inputs[:, 1] > 0).astype(int) + (inputs[:, 2] > 0.6).astype(int)

layers = [Linear(4, 6, rng), LeakyReLU(), Linear(6, 5, rng), LeakyReLU(), Linear(5, 3, rng)]
criterion = SoftmaxCrossEntropy()
opt = SGD(lr=0.5)

for it in range(301):
    h = inputs
    for layer in layers:
        h = layer.forward_pass(h)
    loss = criterion.forward_pass(h, targets)
    if it % 100 == 0:
        acc = (h.argmax(axis=1) == targets).mean()
        print(f"step {it:4d}  loss {loss:.4f}  acc {acc:.2f}")
    d = criterion.backward_pass()
    for layer in layers[::-1]:
        d = layer.backward_pass(d)
    opt.step(layers)
