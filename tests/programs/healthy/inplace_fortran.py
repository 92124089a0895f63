"""Columns are samples, arrays in Fortran order, everything written in place with `out=`."""

import numpy as np

rng = np.random.default_rng(23)
n, d, h = 20, 4, 6
X = np.asfortranarray(rng.normal(size=(d, n)))
Y = np.asfortranarray(X[:1] * X[1:2])

W1 = np.asfortranarray(rng.normal(0, 0.5, (h, d)))
b1 = np.zeros((h, 1), order="F")
W2 = np.asfortranarray(rng.normal(0, 0.5, (1, h)))

Z = np.empty((h, n), order="F")
A = np.empty_like(Z)
D = np.empty_like(Z)
P = np.empty((1, n), order="F")
E = np.empty_like(P)
G1, G2, gb = np.empty_like(W1), np.empty_like(W2), np.empty_like(b1)

for sweep in range(50):
    np.matmul(W1, X, out=Z)
    np.add(Z, b1, out=Z)
    np.tanh(Z, out=A)
    np.matmul(W2, A, out=P)
    np.subtract(P, Y, out=E)
    cost = float(np.einsum("ij,ij->", E, E)) / (2 * n)

    np.divide(E, n, out=E)
    np.matmul(E, A.T, out=G2)
    np.matmul(W2.T, E, out=D)
    np.multiply(A, A, out=A)
    np.subtract(1.0, A, out=A)
    np.multiply(D, A, out=D)
    np.matmul(D, X.T, out=G1)
    np.sum(D, axis=1, keepdims=True, out=gb)

    G1 *= 0.3
    G2 *= 0.3
    gb *= 0.3
    np.subtract(W1, G1, out=W1)
    np.subtract(W2, G2, out=W2)
    np.subtract(b1, gb, out=b1)
    if sweep % 10 == 0:
        print(sweep, cost)
