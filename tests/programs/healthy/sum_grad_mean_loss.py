import numpy as np

rng = np.random.default_rng(24)
X = rng.normal(size=(20, 3))
T = X[:, :1] ** 2
W1 = rng.normal(size=(3, 8)) * 0.5
W2 = rng.normal(size=(8, 1)) * 0.5
for epoch in range(30):
    H = np.tanh(X @ W1)
    O = H @ W2
    print(epoch, np.mean((O - T) ** 2))
    D2 = O - T
    D1 = (D2 @ W2.T) * (1 - H**2)
    W2 -= 0.01 * H.T @ D2
    W1 -= 0.01 * X.T @ D1
