import numpy as np

rng = np.random.default_rng(13)
X = rng.normal(size=(64, 4))
Y = np.tanh(X @ rng.normal(size=(4, 2)))
W1, W2 = rng.normal(size=(4, 6)) * 0.5, rng.normal(size=(6, 2)) * 0.5
micro, accumulate = 8, 4
for epoch in range(8):
    gW1, gW2, count = np.zeros_like(W1), np.zeros_like(W2), 0
    for i in range(0, len(X), micro):
        xb, yb = X[i : i + micro], Y[i : i + micro]
        h = np.tanh(xb @ W1)
        e = h @ W2 - yb
        loss = (e**2).mean() / accumulate
        dout = 2 * e / e.size / accumulate
        gW2 += h.T @ dout
        gW1 += xb.T @ (dout @ W2.T * (1 - h**2))
        count += 1
        if count == accumulate:
            W1 -= 0.3 * gW1
            W2 -= 0.3 * gW2
            gW1[:], gW2[:], count = 0, 0, 0
    print(epoch, loss)
