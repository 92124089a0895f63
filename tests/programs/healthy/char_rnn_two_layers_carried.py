"""Two-layer character RNN, truncated BPTT with the state carried over, adagrad, sampling every few steps."""
import numpy as np

text = "to be or not to be that is the question " * 2
chars = sorted(set(text))
V = len(chars)
ix = {c: i for i, c in enumerate(chars)}
H, T, lr = 5, 4, 0.1
rng = np.random.RandomState(0)
Wx1 = rng.randn(H, V) * 0.1
Wh1 = rng.randn(H, H) * 0.1
b1 = np.zeros((H, 1))
Wx2 = rng.randn(H, H) * 0.1
Wh2 = rng.randn(H, H) * 0.1
b2 = np.zeros((H, 1))
Wy = rng.randn(V, H) * 0.1
by = np.zeros((V, 1))
memory = [np.zeros_like(p) for p in (Wx1, Wh1, b1, Wx2, Wh2, b2, Wy, by)]


def loss_fun(inputs, targets, h1p, h2p):
    xs, h1, h2, ps = {}, {-1: h1p.copy()}, {-1: h2p.copy()}, {}
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((V, 1))
        xs[t][inputs[t]] = 1
        h1[t] = np.tanh(Wx1.dot(xs[t]) + Wh1.dot(h1[t - 1]) + b1)
        h2[t] = np.tanh(Wx2.dot(h1[t]) + Wh2.dot(h2[t - 1]) + b2)
        y = Wy.dot(h2[t]) + by
        ps[t] = np.exp(y) / np.sum(np.exp(y))
        loss += -np.log(ps[t][targets[t], 0])
    grads = [np.zeros_like(p) for p in (Wx1, Wh1, b1, Wx2, Wh2, b2, Wy, by)]
    dWx1, dWh1, db1, dWx2, dWh2, db2, dWy, dby = grads
    dh1n, dh2n = np.zeros((H, 1)), np.zeros((H, 1))
    for t in range(len(inputs))[::-1]:
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWy += dy.dot(h2[t].T)
        dby += dy
        d2 = (Wy.T.dot(dy) + dh2n) * (1 - h2[t] ** 2)
        dWx2 += d2.dot(h1[t].T)
        dWh2 += d2.dot(h2[t - 1].T)
        db2 += d2
        dh2n = Wh2.T.dot(d2)
        d1 = (Wx2.T.dot(d2) + dh1n) * (1 - h1[t] ** 2)
        dWx1 += d1.dot(xs[t].T)
        dWh1 += d1.dot(h1[t - 1].T)
        db1 += d1
        dh1n = Wh1.T.dot(d1)
    for g in grads:
        np.clip(g, -5, 5, out=g)
    return loss, grads, h1[len(inputs) - 1], h2[len(inputs) - 1]


n, p = 0, 0
while n < 10:
    if n == 0 or p + T + 1 >= len(text):
        h1p, h2p, p = np.zeros((H, 1)), np.zeros((H, 1)), 0
    inputs = [ix[c] for c in text[p : p + T]]
    targets = [ix[c] for c in text[p + 1 : p + T + 1]]
    loss, grads, h1p, h2p = loss_fun(inputs, targets, h1p, h2p)
    for param, g, mem in zip((Wx1, Wh1, b1, Wx2, Wh2, b2, Wy, by), grads, memory):
        mem += g * g
        param += -lr * g / np.sqrt(mem + 1e-8)
    if n % 20 == 0:
        print(n, loss / T)
    p += T
    n += 1
