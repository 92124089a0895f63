import numpy as np

rng = np.random.default_rng(31)


class EmbeddingBag:
    def __init__(self, vocab, dim):
        self.E = rng.normal(size=(vocab, dim))

    def forward(self, tokens):
        self.tokens = tokens
        return self.E[tokens].mean(axis=1)

    def backward(self, dout, lr):
        dE = np.zeros_like(self.E)
        share = dout / self.tokens.shape[1]
        for row, words in enumerate(self.tokens):
            for word in words:
                dE[word] += share[row]
        self.E -= lr * dE
        return None


class Dense:
    def __init__(self, n_in, n_out):
        self.W = rng.normal(size=(n_in, n_out)) / np.sqrt(n_in)
        self.b = 0.1 * rng.normal(size=n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout, lr):
        dW = self.x.T @ dout
        db = dout.sum(axis=0)
        dx = dout @ self.W.T
        self.W -= lr * dW
        self.b -= lr * db
        return dx


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout, lr):
        return dout * (1 - self.out ** 2)


def softmax(scores):
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def loss_function(scores, y):
    return -np.mean(np.log(softmax(scores)[np.arange(len(y)), y]))


def loss_gradient(scores, y):
    d = softmax(scores)
    d[np.arange(len(y)), y] -= 1
    return d / len(y)


x = rng.integers(0, 8, (10, 3))
y = rng.integers(0, 3, 10)

layers = [EmbeddingBag(8, 4), Dense(4, 5), Tanh(), Dense(5, 3)]
lr = 0.3

for epoch in range(30):
    out = x
    for layer in layers:
        out = layer.forward(out)
    loss = loss_function(out, y)
    grad = loss_gradient(out, y)
    for layer in reversed(layers):
        grad = layer.backward(grad, lr)
    if epoch % 10 == 0:
        print("epoch", epoch, "loss", loss)
