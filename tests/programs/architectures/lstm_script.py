import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


rng = np.random.default_rng(13)
T, B, D, H, C = 4, 5, 2, 3, 3
xs = rng.normal(size=(T, B, D))
target = rng.integers(0, C, B)
Wf, Wi, Wg, Wo = [rng.normal(size=(H + D, H)) * 0.6 for _ in range(4)]
bf, bi, bg, bo = [rng.normal(size=H) * 0.3 for _ in range(4)]
Wy = rng.normal(size=(H, C)) * 0.8
by = rng.normal(size=C) * 0.1
lr = 0.2

for step in range(20):
    h, c = np.zeros((B, H)), np.zeros((B, H))
    vs, fs, is_, gs, os_, cs = [], [], [], [], [], [c]
    for t in range(T):
        v = np.concatenate([h, xs[t]], axis=1)
        f = sigmoid(v @ Wf + bf)
        i = sigmoid(v @ Wi + bi)
        g = np.tanh(v @ Wg + bg)
        o = sigmoid(v @ Wo + bo)
        c = f * cs[-1] + i * g
        h = o * np.tanh(c)
        vs.append(v)
        fs.append(f)
        is_.append(i)
        gs.append(g)
        os_.append(o)
        cs.append(c)
    scores = h @ Wy + by
    p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(B), target]).mean()
    if step % 5 == 0:
        print(step, loss)

    dscores = p.copy()
    dscores[np.arange(B), target] -= 1
    dscores /= B
    dWy = h.T @ dscores
    dby = dscores.sum(axis=0)
    dWf, dWi, dWg, dWo = [np.zeros_like(Wf) for _ in range(4)]
    dbf, dbi, dbg, dbo = [np.zeros_like(bf) for _ in range(4)]
    dh = dscores @ Wy.T
    dc = np.zeros((B, H))
    for t in reversed(range(T)):
        tc = np.tanh(cs[t + 1])
        do = dh * tc * os_[t] * (1 - os_[t])
        dc = dc + dh * os_[t] * (1 - tc ** 2)
        df = dc * cs[t] * fs[t] * (1 - fs[t])
        di = dc * gs[t] * is_[t] * (1 - is_[t])
        dg = dc * is_[t] * (1 - gs[t] ** 2)
        dWf += vs[t].T @ df
        dWi += vs[t].T @ di
        dWg += vs[t].T @ dg
        dWo += vs[t].T @ do
        dbf += df.sum(axis=0)
        dbi += di.sum(axis=0)
        dbg += dg.sum(axis=0)
        dbo += do.sum(axis=0)
        dv = df @ Wf.T + di @ Wi.T + dg @ Wg.T + do @ Wo.T
        dh = dv[:, :H]
        dc = dc * fs[t]

    Wf -= lr * dWf
    Wi -= lr * dWi
    Wg -= lr * dWg
    Wo -= lr * dWo
    bf -= lr * dbf
    bi -= lr * dbi
    bg -= lr * dbg
    bo -= lr * dbo
    Wy -= lr * dWy
    by -= lr * dby
