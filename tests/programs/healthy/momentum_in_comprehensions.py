import numpy as np

rng = np.random.default_rng(31)
X = rng.normal(size=(64, 3))
T = np.tanh(X @ rng.normal(size=(3, 2)))
sizes = [3, 7, 2]
Ws = [rng.normal(size=(a, b)) / np.sqrt(a) for a, b in zip(sizes[:-1], sizes[1:])]
bs = [np.zeros(b) for b in sizes[1:]]
vW = [np.zeros_like(W) for W in Ws]
vb = [np.zeros_like(b) for b in bs]
mu, eps = 0.9, 0.05


def forward(x):
    outs = [x]
    for W, b in zip(Ws, bs):
        outs.append(np.tanh(outs[-1] @ W + b))
    return outs


def backward(outs, target):
    grads_W, grads_b = [], []
    err = (outs[-1] - target) / len(target)
    for W, inp, out in zip(Ws[::-1], outs[-2::-1], outs[:0:-1]):
        d = err * (1 - out**2)
        grads_W.append(inp.T @ d)
        grads_b.append(d.sum(axis=0))
        err = d @ W.T
    return grads_W[::-1], grads_b[::-1]


for epoch in range(100):
    outs = forward(X)
    loss = 0.5 * ((outs[-1] - T) ** 2).sum() / len(T)
    gW, gb = backward(outs, T)
    vW = [mu * v - eps * g for v, g in zip(vW, gW)]
    vb = [mu * v - eps * g for v, g in zip(vb, gb)]
    Ws = [W + v for W, v in zip(Ws, vW)]
    bs = [b + v for b, v in zip(bs, vb)]
    if epoch % 25 == 0:
        print(epoch, loss)
