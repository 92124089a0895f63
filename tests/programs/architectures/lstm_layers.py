import numpy as np

rng = np.random.default_rng(33)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class LSTM:
    def __init__(self, n_in, n_hidden):
        self.params, self.grads = {}, {}
        self.params["Wf"], self.params["Wi"], self.params["Wg"], self.params["Wo"] = [0.6 * rng.normal(size=(n_hidden + n_in, n_hidden)) for _ in range(4)]
        self.params["bf"], self.params["bi"], self.params["bg"], self.params["bo"] = [0.3 * rng.normal(size=n_hidden) for _ in range(4)]

    def forward(self, xs):
        h = c = np.zeros((xs.shape[1], len(self.params["bf"])))
        self.steps = []
        for x in xs:
            v = np.hstack([h, x])
            f = sigmoid(v @ self.params["Wf"] + self.params["bf"])
            i = sigmoid(v @ self.params["Wi"] + self.params["bi"])
            g = np.tanh(v @ self.params["Wg"] + self.params["bg"])
            o = sigmoid(v @ self.params["Wo"] + self.params["bo"])
            before = c
            c = f * before + i * g
            h = o * np.tanh(c)
            self.steps.append((v, f, i, g, o, before, c))
        return h

    def backward(self, dh):
        self.grads["Wf"], self.grads["Wi"], self.grads["Wg"], self.grads["Wo"] = [np.zeros_like(self.params["Wf"]) for _ in range(4)]
        self.grads["bf"], self.grads["bi"], self.grads["bg"], self.grads["bo"] = [np.zeros_like(self.params["bf"]) for _ in range(4)]
        dc = np.zeros_like(dh)
        for v, f, i, g, o, before, c in reversed(self.steps):
            do = dh * np.tanh(c) * o * (1 - o)
            dc = dc + dh * o * (1 - np.tanh(c) ** 2)
            df = dc * before * f * (1 - f)
            di = dc * g * i * (1 - i)
            dg = dc * i * (1 - g ** 2)
            self.grads["Wf"] += v.T @ df
            self.grads["Wi"] += v.T @ di
            self.grads["Wg"] += v.T @ dg
            self.grads["Wo"] += v.T @ do
            self.grads["bf"] += df.sum(axis=0)
            self.grads["bi"] += di.sum(axis=0)
            self.grads["bg"] += dg.sum(axis=0)
            self.grads["bo"] += do.sum(axis=0)
            dv = df @ self.params["Wf"].T + di @ self.params["Wi"].T + dg @ self.params["Wg"].T + do @ self.params["Wo"].T
            dh = dv[:, :dh.shape[1]]
            dc = dc * f
        return None

    def step(self, lr):
        for key in self.params:
            self.params[key] -= lr * self.grads[key]


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


def softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def loss_function(scores, y):
    return -np.mean(np.log(softmax(scores)[np.arange(len(y)), y]))


def loss_gradient(scores, y):
    d = softmax(scores)
    d[np.arange(len(y)), y] -= 1
    return d / len(y)


x = rng.normal(size=(4, 5, 2))
y = rng.integers(0, 3, 5)

layers = [LSTM(2, 3), Dense(3, 3)]
lr = 0.2

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
