import numpy as np

rng = np.random.default_rng(9)


def affine(n, k):
    W = rng.normal(size=(n, k)) * 0.3
    b = np.zeros(k)

    def run(x):
        def back(g):
            return g @ W.T, (x.T @ g, g.sum(axis=0))

        return x @ W + b, back

    return run, [W, b]


def softplus(x):
    def back(g):
        return g / (1 + np.exp(-x)), ()

    return np.log1p(np.exp(x)), back


f1, p1 = affine(4, 7)
f2, p2 = affine(7, 2)
X = rng.normal(size=(24, 4))
T = np.stack([X[:, 0] * X[:, 1], X[:, 2]], axis=1)
for i in range(40):
    u, back1 = f1(X)
    v, back2 = softplus(u)
    w, back3 = f2(v)
    r = w - T
    loss = (r**2).sum(axis=1).mean()
    g, (gW2, gb2) = back3(2 * r / len(X))
    g, _ = back2(g)
    g, (gW1, gb1) = back1(g)
    for p, q in zip(p1 + p2, [gW1, gb1, gW2, gb2]):
        p -= 0.05 * q
print(loss)
