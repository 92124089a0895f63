import numpy as np

rng = np.random.default_rng(56)
X = rng.normal(size=(5, 64))
Y = np.eye(3)[:, rng.integers(0, 3, 64)]
W = [rng.normal(size=(9, 5)) * 0.4, rng.normal(size=(3, 9)) * 0.4]
B = [np.zeros((9, 1)), np.zeros((3, 1))]
m = X.shape[1]
for i in range(30):
    A = np.maximum(0.1 * (W[0] @ X + B[0]), W[0] @ X + B[0])
    Z = W[1] @ A + B[1]
    S = np.exp(Z - Z.max(axis=0))
    S = S / S.sum(axis=0)
    L = -np.sum(Y * np.log(S)) / m
    E = S - Y
    dW1 = E @ A.T / m
    db1 = np.sum(E, axis=1, keepdims=True) / m
    E = W[1].T @ E * np.where(A > 0, 1, 0.1)
    dW0 = E @ X.T / m
    db0 = np.sum(E, axis=1, keepdims=True) / m
    W = [W[0] - 0.5 * dW0, W[1] - 0.5 * dW1]
    B = [B[0] - 0.5 * db0, B[1] - 0.5 * db1]
print(L)
