import numpy as np


class AdalineGD:
    def __init__(self, eta=0.01, n_iter=30, random_state=1):
        self.eta, self.n_iter, self.random_state = eta, n_iter, random_state

    def fit(self, X, y):
        rgen = np.random.RandomState(self.random_state)
        self.w_ = rgen.normal(loc=0.0, scale=0.01, size=1 + X.shape[1])
        self.cost_ = []
        for i in range(self.n_iter):
            output = self.net_input(X)
            errors = y - output
            self.w_[1:] += self.eta * X.T.dot(errors)
            self.w_[0] += self.eta * errors.sum()
            cost = (errors**2).sum() / 2.0
            self.cost_.append(cost)
        return self

    def net_input(self, X):
        return np.dot(X, self.w_[1:]) + self.w_[0]


r = np.random.RandomState(0)
X = r.randn(50, 2)
y = np.where(X[:, 0] + X[:, 1] > 0, 1, -1)
print(AdalineGD(0.005).fit(X, y).cost_[-1])
