import numpy as np

np.random.seed(1)


class Linear:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out) * 0.5
        self.b = np.zeros((1, n_out))

    def __call__(self, x):
        self.x = x
        return np.dot(x, self.W) + self.b

    def backward(self, grad):
        self.gW = np.dot(self.x.T, grad)
        self.gb = grad.sum(axis=0, keepdims=True)
        return np.dot(grad, self.W.T)

    def step(self, lr, wd=1e-4):
        self.W -= lr * (self.gW + wd * self.W)
        self.b -= lr * self.gb


class Tanh:
    def __call__(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, g):
        return g * (1 - self.y**2)

    def step(self, lr):
        pass


class MSE:
    def __call__(self, p, t):
        self.d = p - t
        return np.square(self.d).mean()

    def backward(self):
        return 2 * self.d / self.d.size


X = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]])
Y = np.array([[0.0], [1], [1], [0]])
net = [Linear(2, 4), Tanh(), Linear(4, 1)]
crit = MSE()
for e in range(40):
    h = X
    for l in net:
        h = l(h)
    L = crit(h, Y)
    g = crit.backward()
    for l in net[::-1]:
        g = l.backward(g)
    for l in net:
        l.step(0.3)
print(L)
