"""Sequences of different lengths, padded: an RNN with a masked cross-entropy per step, teacher forcing."""

import numpy as np

rng = np.random.default_rng(42)
PAD, VOCAB, HID = 0, 5, 7
sentences = [[1, 2, 3, 4], [2, 3], [4, 3, 2, 1, 2], [1, 4, 1]]
T = max(map(len, sentences))
inp = np.full((len(sentences), T), PAD)
out = np.full((len(sentences), T), PAD)
for r, s in enumerate(sentences):
    inp[r, 1 : len(s)] = s[:-1]
    out[r, : len(s)] = s
mask = (out != PAD).astype(float)
onehot_in = np.eye(VOCAB)[inp]
onehot_out = np.eye(VOCAB)[out]

Wx = rng.normal(0, 0.4, (VOCAB, HID))
Wh = rng.normal(0, 0.4, (HID, HID))
bh = np.zeros(HID)
Wy = rng.normal(0, 0.4, (HID, VOCAB))
by = np.zeros(VOCAB)


def run():
    B = len(sentences)
    hs = {-1: np.zeros((B, HID))}
    ps = {}
    total = 0.0
    for t in range(T):
        hs[t] = np.tanh(onehot_in[:, t] @ Wx + hs[t - 1] @ Wh + bh)
        z = hs[t] @ Wy + by
        z = z - z.max(1, keepdims=True)
        ps[t] = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        total += -(np.log((ps[t] * onehot_out[:, t]).sum(1)) * mask[:, t]).sum()
    return hs, ps, total / mask.sum()


def back(hs, ps):
    dWx, dWh, dbh = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(bh)
    dWy, dby = np.zeros_like(Wy), np.zeros_like(by)
    dnext = np.zeros_like(hs[0])
    for t in reversed(range(T)):
        dz = (ps[t] - onehot_out[:, t]) * mask[:, t, None] / mask.sum()
        dWy += hs[t].T @ dz
        dby += dz.sum(0)
        dh = dz @ Wy.T + dnext
        da = dh * (1 - hs[t] ** 2)
        dWx += onehot_in[:, t].T @ da
        dWh += hs[t - 1].T @ da
        dbh += da.sum(0)
        dnext = da @ Wh.T
    return dWx, dWh, dbh, dWy, dby


for epoch in range(50):
    hs, ps, loss = run()
    for param, dparam in zip([Wx, Wh, bh, Wy, by], back(hs, ps)):
        param += -0.5 * dparam
    if not epoch % 10:
        print(f"{epoch:02d}", f"{loss:.4f}")
