"""Weights normalised after each step (max-norm), gradient with centred momentum."""
import numpy as np

rng = np.random.default_rng(19)
X = rng.normal(size=(40, 5))
Y = np.eye(2)[(X[:, 0] > 0).astype(int)]
A, B = rng.normal(size=(5, 7)), rng.normal(size=(7, 2))
vA, vB = np.zeros_like(A), np.zeros_like(B)
for i in range(30):
    H = np.maximum(X @ A, 0)
    S = H @ B
    P = np.exp(S - S.max(1, keepdims=True))
    P /= P.sum(1, keepdims=True)
    nll = -np.mean(np.log(P[Y == 1]))
    D = (P - Y) / 40
    gB = H.T @ D
    gA = X.T @ ((D @ B.T) * (H > 0))
    vA = 0.9 * vA + 0.1 * gA
    vB = 0.9 * vB + 0.1 * gB
    A = A - 0.5 * vA
    B = B - 0.5 * vB
    A *= np.minimum(1, 3 / np.linalg.norm(A, axis=0))
    B /= max(1.0, np.linalg.norm(B) / 5)
print(nll)
