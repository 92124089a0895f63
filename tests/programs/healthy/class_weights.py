import numpy as np

rng = np.random.default_rng(20)
X = rng.normal(size=(90, 4))
target = (X[:, 0] > 1).astype(int)
weight = np.array([0.3, 2.5])
W1, b1 = rng.normal(size=(4, 6)) * 0.4, np.zeros(6)
W2, b2 = rng.normal(size=(6, 2)) * 0.4, np.zeros(2)
for epoch in range(30):
    a1 = np.maximum(0, X @ W1 + b1)
    scores = a1 @ W2 + b2
    prob = np.exp(scores - scores.max(axis=1, keepdims=True))
    prob /= prob.sum(axis=1, keepdims=True)
    w = weight[target]
    loss = np.sum(-w * np.log(prob[range(90), target])) / np.sum(w)
    dscores = prob.copy()
    dscores[range(90), target] -= 1
    dscores *= (w / w.sum())[:, None]
    dW2, db2 = a1.T @ dscores, dscores.sum(axis=0)
    da1 = dscores @ W2.T
    da1[a1 <= 0] = 0
    dW1, db1 = X.T @ da1, da1.sum(axis=0)
    for p, g in ((W1, dW1), (b1, db1), (W2, dW2), (b2, db2)):
        p -= 0.3 * g
print(loss)
