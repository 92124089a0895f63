import numpy as np
np.random.seed(42)

# deep residual tower, all weight matrices in one 3-d array
L, d, n, lr = 4, 6, 48, 0.1
W = np.random.randn(L, d, d) * 0.3
b = np.zeros((L, d))
w_out = np.random.randn(d) * 0.3
X = np.random.randn(n, d)
t = (X[:, 0] * X[:, 1] > 0) * 2.0 - 1.0

for epoch in range(40):
    acts = np.empty((L + 1, n, d))
    acts[0] = X
    pre = np.empty((L, n, d))
    for l in range(L):
        pre[l] = acts[l] @ W[l] + b[l]
        acts[l + 1] = acts[l] + np.tanh(pre[l])
    y = acts[L] @ w_out
    loss = np.mean(np.log(1 + np.exp(-t * y)))

    dy = -t / (1 + np.exp(t * y)) / n
    dW = np.zeros_like(W)
    db = np.zeros_like(b)
    dw_out = acts[L].T @ dy
    dact = np.outer(dy, w_out)
    for l in reversed(range(L)):
        dpre = dact * (1 - np.tanh(pre[l]) ** 2)
        dW[l] = acts[l].T @ dpre
        db[l] = dpre.sum(axis=0)
        dact += dpre @ W[l].T
    W -= lr * dW
    b -= lr * db
    w_out -= lr * dw_out
print("loss", loss)
