import numpy as np

rng = np.random.default_rng(12)
text = "the quick brown fox jumps over the lazy dog "
chars = sorted(set(text))
ix = {c: i for i, c in enumerate(chars)}
n, hid = len(chars), 12
Wxh, Whh, Why = (rng.normal(size=s) * 0.1 for s in ((hid, n), (hid, hid), (n, hid)))
bh, by = np.zeros((hid, 1)), np.zeros((n, 1))
for step in range(20):
    start = (step * 5) % (len(text) - 9)
    ins = [ix[c] for c in text[start : start + 8]]
    outs = [ix[c] for c in text[start + 1 : start + 9]]
    xs, hs, ps, loss = {}, {-1: np.zeros((hid, 1))}, {}, 0
    for t in range(len(ins)):
        xs[t] = np.zeros((n, 1))
        xs[t][ins[t]] = 1
        hs[t] = np.tanh(Wxh @ xs[t] + Whh @ hs[t - 1] + bh)
        ys = Why @ hs[t] + by
        ps[t] = np.exp(ys) / np.sum(np.exp(ys))
        loss += -np.log(ps[t][outs[t], 0])
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby, dhnext = np.zeros_like(bh), np.zeros_like(by), np.zeros_like(hs[0])
    for t in reversed(range(len(ins))):
        dy = np.copy(ps[t])
        dy[outs[t]] -= 1
        dWhy += dy @ hs[t].T
        dby += dy
        draw = (Why.T @ dy + dhnext) * (1 - hs[t] ** 2)
        dbh += draw
        dWxh += draw @ xs[t].T
        dWhh += draw @ hs[t - 1].T
        dhnext = Whh.T @ draw
    for d in (dWxh, dWhh, dWhy, dbh, dby):
        np.clip(d, -0.5, 0.5, out=d)
    for p, d in zip((Wxh, Whh, Why, bh, by), (dWxh, dWhh, dWhy, dbh, dby)):
        p -= 0.1 * d
    print(step, loss)
