import copy

import numpy as np

rng = np.random.default_rng(34)
X = rng.normal(size=(100, 4))
y = X[:, 0] * X[:, 1] + 0.3 * rng.normal(size=100)
Xt, yt, Xv, yv = X[:70], y[:70, None], X[70:], y[70:, None]
weights = [rng.normal(size=(4, 20)) * 0.5, rng.normal(size=(20, 1)) * 0.3]


def predict(ws, x):
    return np.tanh(x @ ws[0]) @ ws[1]


best, best_weights, patience = np.inf, None, 0
for epoch in range(60):
    h = np.tanh(Xt @ weights[0])
    out = h @ weights[1]
    train_loss = np.mean((out - yt) ** 2)
    g = 2 * (out - yt) / len(Xt)
    g1 = h.T @ g
    g0 = Xt.T @ (g @ weights[1].T * (1 - h**2))
    weights[0] = weights[0] - 0.2 * g0
    weights[1] = weights[1] - 0.2 * g1
    val_loss = np.mean((predict(weights, Xv) - yv) ** 2)
    if val_loss < best:
        best, best_weights, patience = val_loss, copy.deepcopy(weights), 0
    else:
        patience += 1
        if patience > 5:
            break
weights = best_weights
print(epoch, best)
