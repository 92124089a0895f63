import numpy as np

rng = np.random.default_rng(34)


class Attention:
    def __init__(self, dim, inner):
        self.Wq, self.Wk, self.Wv = [0.6 * rng.normal(size=(dim, inner)) for _ in range(3)]
        self.Wo = 0.6 * rng.normal(size=(inner, dim))
        self.scale = 1 / np.sqrt(inner)

    def forward(self, x):
        self.x = x
        self.q, self.k, self.v = x @ self.Wq, x @ self.Wk, x @ self.Wv
        scores = self.scale * (self.q @ self.k.transpose(0, 2, 1))
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        self.att = e / e.sum(axis=-1, keepdims=True)
        self.ctx = self.att @ self.v
        return self.ctx @ self.Wo

    def backward(self, dout, lr):
        dWo = np.tensordot(self.ctx, dout, axes=([0, 1], [0, 1]))
        dctx = dout @ self.Wo.T
        datt = dctx @ self.v.transpose(0, 2, 1)
        dv = self.att.transpose(0, 2, 1) @ dctx
        ds = self.att * (datt - (datt * self.att).sum(axis=-1, keepdims=True))
        dq = self.scale * (ds @ self.k)
        dk = self.scale * (ds.transpose(0, 2, 1) @ self.q)
        dWq = np.tensordot(self.x, dq, axes=([0, 1], [0, 1]))
        dWk = np.tensordot(self.x, dk, axes=([0, 1], [0, 1]))
        dWv = np.tensordot(self.x, dv, axes=([0, 1], [0, 1]))
        dx = dq @ self.Wq.T + dk @ self.Wk.T + dv @ self.Wv.T
        self.Wq -= lr * dWq
        self.Wk -= lr * dWk
        self.Wv -= lr * dWv
        self.Wo -= lr * dWo
        return dx


def loss_function(pred, y):
    return np.mean((pred - y) ** 2)


def loss_gradient(pred, y):
    return 2 * (pred - y) / y.size


x = rng.normal(size=(3, 4, 5))
y = rng.normal(size=(3, 4, 5))

layers = [Attention(5, 3)]
lr = 0.3

for epoch in range(20):
    out = x
    for layer in layers:
        out = layer.forward(out)
    loss = loss_function(out, y)
    grad = loss_gradient(out, y)
    for layer in reversed(layers):
        grad = layer.backward(grad, lr)
    if epoch % 10 == 0:
        print("epoch", epoch, "loss", loss)
