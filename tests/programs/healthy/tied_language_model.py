"""Bigram-context language model whose output matrix is the embedding transposed."""

import numpy as np

text = "the cat sat on the mat and the rat sat on the cat "
chars = sorted(set(text))
ix = {c: i for i, c in enumerate(chars)}
data = np.array([ix[c] for c in text])
V, D = len(chars), 6

rng = np.random.RandomState(1)
E = rng.randn(V, D) * 0.3
W = rng.randn(2 * D, D) * 0.3
b = np.zeros(V)

ctx = np.stack([data[:-2], data[1:-1]], axis=1)
nxt = data[2:]
n = len(nxt)

for step in range(120):
    emb = E[ctx].reshape(n, 2 * D)
    h = np.tanh(emb @ W)
    logits = h @ E.T + b
    logits -= logits.max(axis=1, keepdims=True)
    probs = np.exp(logits)
    probs /= probs.sum(axis=1, keepdims=True)
    nll = -np.mean(np.log(probs[np.arange(n), nxt]))

    dlogits = probs.copy()
    dlogits[np.arange(n), nxt] -= 1
    dlogits /= n
    dE = dlogits.T @ h
    db = dlogits.sum(axis=0)
    dh = (dlogits @ E) * (1 - h * h)
    dW = emb.T @ dh
    demb = (dh @ W.T).reshape(n, 2, D)
    np.add.at(dE, ctx, demb)

    E -= 0.5 * dE
    W -= 0.5 * dW
    b -= 0.5 * db
    if step % 40 == 0:
        print(step, nll)
