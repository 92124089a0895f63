import numpy as np

np.random.seed(12)
T, B, D, H, O = 5, 4, 4, 4, 4
xs = np.random.randn(T, B, D)
ys = np.random.randn(T, B, O) * 0.5
Wxh = np.random.randn(D, H) * 0.5
Whh = np.random.randn(H, H) * 0.5
Why = np.random.randn(H, O) * 0.5
bh = np.random.randn(H) * 0.1
by = np.random.randn(O) * 0.1
lr = 0.05

for step in range(20):
    hs = {-1: np.zeros((B, H))}
    outs = {}
    loss = 0
    for t in range(T):
        hs[t] = np.tanh(xs[t] @ Wxh + hs[t - 1] @ Whh + bh)
        outs[t] = hs[t] @ Why + by
        loss += 0.5 * np.sum((outs[t] - ys[t]) ** 2) / B
    if step % 5 == 0:
        print(step, loss)

    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dh_next = np.zeros((B, H))
    for t in reversed(range(T)):
        dy = (outs[t] - ys[t]) / B
        dWhy += hs[t].T @ dy
        dby += dy.sum(axis=0)
        dh = dy @ Why.T + dh_next
        draw = dh * (1 - hs[t] ** 2)
        dbh += draw.sum(axis=0)
        dWxh += xs[t].T @ draw
        dWhh += hs[t - 1].T @ draw
        dh_next = draw @ Whh.T

    Wxh -= lr * dWxh
    Whh -= lr * dWhh
    Why -= lr * dWhy
    bh -= lr * dbh
    by -= lr * dby
