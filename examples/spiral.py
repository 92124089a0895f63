import numpy as np

np.random.seed(0)
N, D, K = 100, 2, 3
X = np.zeros((N * K, D))
y = np.zeros(N * K, dtype="uint8")
for j in range(K):
    ix = range(N * j, N * (j + 1))
    r = np.linspace(0.0, 1, N)
    t = np.linspace(j * 4, (j + 1) * 4, N) + np.random.randn(N) * 0.2
    X[ix] = np.c_[r * np.sin(t), r * np.cos(t)]
    y[ix] = j

h = 50
W1 = 0.1 * np.random.randn(D, h)
b1 = np.zeros((1, h))
W2 = 0.1 * np.random.randn(h, K)
b2 = np.zeros((1, K))

step_size = 1.0
reg = 1e-3
m = len(X)

for i in range(2000):
    a1 = np.maximum(0, X @ W1 + b1)
    scores = a1 @ W2 + b2

    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    probs = e / e.sum(axis=1, keepdims=True)
    data_loss = -np.log(probs[range(m), y]).mean()
    loss = data_loss + 0.5 * reg * np.sum(W1 * W1) + 0.5 * reg * np.sum(W2 * W2)
    if i % 500 == 0:
        print(f"iteration {i}: loss {loss:.4f}")

    dscores = probs.copy()
    dscores[range(m), y] -= 1
    dscores /= m

    dW2 = a1.T @ dscores
    db2 = dscores.sum(axis=0, keepdims=True)
    da1 = dscores @ W2.T
    da1[a1 <= 0] = 0
    dW1 = X.T @ da1
    db1 = da1.sum(axis=0, keepdims=True)

    dW2 += reg * W2

    W1 -= step_size * dW1
    b1 -= step_size * db1
    W2 -= step_size * dW2
    b2 -= step_size * db2

a1 = np.maximum(0, X @ W1 + b1)
print(f"accuracy {np.mean(np.argmax(a1 @ W2 + b2, axis=1) == y):.2f}")
