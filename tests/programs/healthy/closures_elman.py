# Elman RNN for sequence classification, built from closures; loss never printed, only accuracy
import numpy as np


def make_cell(n_in, n_h, rng):
    Wxh = rng.normal(0, 0.4, (n_in, n_h))
    Whh = rng.normal(0, 0.4, (n_h, n_h))
    bh = np.zeros(n_h)

    def forward(seq):
        hs = [np.zeros((seq.shape[1], n_h))]
        for x in seq:
            hs.append(np.tanh(x @ Wxh + hs[-1] @ Whh + bh))
        return hs

    def backward(seq, hs, dlast):
        gxh, ghh, gb = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(bh)
        dh = dlast
        for t in reversed(range(len(seq))):
            da = dh * (1 - hs[t + 1] ** 2)
            gxh += seq[t].T @ da
            ghh += hs[t].T @ da
            gb += da.sum(axis=0)
            dh = da @ Whh.T
        return gxh, ghh, gb

    def update(grads, lr):
        nonlocal Wxh, Whh, bh
        gxh, ghh, gb = (np.clip(g, -2, 2) for g in grads)
        Wxh = Wxh - lr * gxh
        Whh = Whh - lr * ghh
        bh = bh - lr * gb

    return forward, backward, update


def make_readout(n_h, n_out, rng):
    state = {"V": rng.normal(0, 0.4, (n_h, n_out)), "c": np.zeros(n_out)}

    def forward(h):
        s = h @ state["V"] + state["c"]
        e = np.exp(s - s.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    def backward(h, p, y, lr):
        d = p.copy()
        d[np.arange(len(y)), y] -= 1.0
        d /= len(y)
        dh = d @ state["V"].T
        state["V"] = state["V"] - lr * h.T @ d
        state["c"] = state["c"] - lr * d.sum(0)
        return dh

    return forward, backward


def data(n, T, rng):
    seq = rng.normal(size=(T, n, 2))
    y = (seq[:, :, 0].sum(0) > 0).astype(int) + (seq[-1, :, 1] > 0.5)
    return seq, y


rng = np.random.default_rng(13)
cell_f, cell_b, cell_u = make_cell(2, 9, rng)
read_f, read_b = make_readout(9, 3, rng)
for it in range(12):
    seq, y = data(12, 4, rng)
    hs = cell_f(seq)
    p = read_f(hs[-1])
    dlast = read_b(hs[-1], p, y, 0.5)
    cell_u(cell_b(seq, hs, dlast), 0.5)
    if it % 5 == 4:
        print("accuracy", (p.argmax(1) == y).mean())
