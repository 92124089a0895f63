import numpy as np

rng = np.random.default_rng(30)
X = rng.random((40, 8))
W = rng.normal(size=(8, 3)) * 0.3
bh, bv = np.zeros(3), np.zeros(8)
sigmoid = lambda u: 1 / (1 + np.exp(-u))
for epoch in range(40):
    code = sigmoid(X @ W + bh)
    recon = sigmoid(code @ W.T + bv)
    loss = 0.5 * np.mean(np.sum((recon - X) ** 2, axis=1))
    d_out = (recon - X) * recon * (1 - recon) / len(X)
    d_code = d_out @ W * code * (1 - code)
    grad = X.T @ d_code + d_out.T @ code
    W -= 0.5 * grad
    bh -= 0.5 * d_code.sum(axis=0)
    bv -= 0.5 * d_out.sum(axis=0)
print(loss)
