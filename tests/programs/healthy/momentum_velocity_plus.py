import numpy as np

rng = np.random.default_rng(60)
X = rng.normal(size=(40, 3))
y = X @ [[1.0], [-1.0], [2.0]]


class Red:
    def __init__(self):
        self.p = [rng.normal(size=(3, 5)) * 0.5, rng.normal(size=(5, 1)) * 0.5]
        self.v = [np.zeros_like(q) for q in self.p]

    def paso(self, x, t):
        h = np.tanh(x @ self.p[0])
        o = h @ self.p[1]
        d = (t - o) / len(x)
        g1 = h.T @ d
        g0 = x.T @ (d @ self.p[1].T * (1 - h * h))
        for i, g in enumerate((g0, g1)):
            viejo = self.v[i]
            self.v[i] = 0.9 * self.v[i] + 0.05 * g
            self.p[i] += -0.9 * viejo + 1.9 * self.v[i]
        return 0.5 * np.mean((t - o) ** 2)


red = Red()
for _ in range(40):
    perdida = red.paso(X, y)
print(perdida)
