import numpy as np

np.random.seed(31)


class QuadraticCost:
    @staticmethod
    def fn(a, y):
        return 0.5 * np.linalg.norm(a - y) ** 2

    @staticmethod
    def delta(z, a, y):
        return (a - y) * sigmoid(z) * (1 - sigmoid(z))


class CrossEntropyCost:
    @staticmethod
    def fn(a, y):
        return np.sum(np.nan_to_num(-y * np.log(a) - (1 - y) * np.log(1 - a)))

    @staticmethod
    def delta(z, a, y):
        return a - y


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


class Net:
    def __init__(self, sizes, cost=CrossEntropyCost):
        self.cost = cost
        self.w = [np.random.randn(o, i) / np.sqrt(i) for i, o in zip(sizes, sizes[1:])]
        self.b = [0.1 * np.random.randn(o, 1) for o in sizes[1:]]

    def activations(self, X):
        acts, zs = [X], []
        for w, b in zip(self.w, self.b):
            zs.append(w.dot(acts[-1]) + b)
            acts.append(sigmoid(zs[-1]))
        return zs, acts

    def fit_batch(self, X, Y, eta, lmbda, n):
        m = X.shape[1]
        zs, acts = self.activations(X)
        delta = self.cost.delta(zs[-1], acts[-1], Y)
        grads_w = []
        grads_b = []
        for k in range(len(self.w) - 1, -1, -1):
            grads_w.insert(0, delta.dot(acts[k].T) / m)
            grads_b.insert(0, delta.sum(axis=1).reshape(-1, 1) / m)
            if k > 0:
                delta = self.w[k].T.dot(delta) * acts[k] * (1 - acts[k])
        for k in range(len(self.w)):
            self.w[k] = (1 - eta * lmbda / n) * self.w[k] - eta * grads_w[k]
            self.b[k] = self.b[k] - eta * grads_b[k]

    def total_cost(self, X, Y, lmbda, n):
        c = self.cost.fn(self.activations(X)[1][-1], Y) / X.shape[1]
        return c + 0.5 * (lmbda / n) * sum(np.linalg.norm(w) ** 2 for w in self.w)


n, batch = 80, 20
X = np.random.randn(3, n)
Y = np.vstack([X[0] * X[1] > 0, X[2] > 0.3]).astype(float)
net = Net([3, 6, 2])
for epoch in range(100):
    order = np.random.permutation(n)
    X, Y = X[:, order], Y[:, order]
    for start in range(0, n, batch):
        net.fit_batch(X[:, start:start + batch], Y[:, start:start + batch], eta=1.0, lmbda=0.08, n=n)
    if epoch % 20 == 0:
        print("Cost on training data: {:.4f}".format(net.total_cost(X, Y, 0.08, n)))
