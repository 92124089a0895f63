# notebook style course: L-layer model with caches, dropout + L2 together, BN? minibatch, He init (French names)
import numpy as np
np.random.seed(3)
def initialiser(dims):
    p = {}
    for l in range(1, len(dims)):
        p['W%d' % l] = np.random.randn(dims[l], dims[l-1]) * np.sqrt(2. / dims[l-1])
        p['b%d' % l] = np.zeros((dims[l], 1))
    return p
def propager(X, p, garder=0.8):
    L = len(p) // 2; A = X; caches = []
    for l in range(1, L):
        Z = np.dot(p['W%d' % l], A) + p['b%d' % l]
        Ap = A; A = np.maximum(0, Z)
        D = np.random.rand(*A.shape) < garder
        A = A * D / garder
        caches.append((Ap, Z, D))
    Z = np.dot(p['W%d' % L], A) + p['b%d' % L]
    caches.append((A, Z, None))
    return 1 / (1 + np.exp(-Z)), caches
def cout(AL, Y, p, lambd):
    m = Y.shape[1]
    ce = -1 / m * np.sum(Y * np.log(AL + 1e-8) + (1 - Y) * np.log(1 - AL + 1e-8))
    return ce + lambd / (2 * m) * sum(np.sum(np.square(p[k])) for k in p if k.startswith('W'))
def retropropager(AL, Y, caches, p, lambd, garder=0.8):
    g = {}; m = Y.shape[1]; L = len(caches)
    dZ = AL - Y
    for l in reversed(range(1, L + 1)):
        Ap, Z, D = caches[l-1]
        g['dW%d' % l] = np.dot(dZ, Ap.T) / m + lambd / m * p['W%d' % l]
        g['db%d' % l] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            dA = np.dot(p['W%d' % l].T, dZ) * caches[l-2][2] / garder
            dZ = dA * (caches[l-2][1] > 0)
    return g
X = np.random.randn(4, 100); Y = (X[:1] * X[1:2] > 0).astype(int)
p = initialiser([4, 8, 6, 1]); v = {k: np.zeros_like(w) for k, w in p.items()}
for epoque in range(12):
    perm = np.random.permutation(100)
    for i in range(0, 100, 25):
        xb, yb = X[:, perm[i:i+25]], Y[:, perm[i:i+25]]
        AL, caches = propager(xb, p)
        c = cout(AL, yb, p, 0.1)
        g = retropropager(AL, yb, caches, p, 0.1)
        for k in p:
            v[k] = 0.9 * v[k] + 0.1 * g['d' + k]
            p[k] = p[k] - 0.3 * v[k]
    if epoque % 4 == 0: print("cout", epoque, c)
