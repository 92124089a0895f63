try:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
except ImportError:
    plt = None
import numpy as np

rng = np.random.RandomState(21)


class Dense:
    def __init__(self, i, o, act=None):
        self.W = rng.randn(i, o) / np.sqrt(i)
        self.b = np.zeros(o)
        self.act = act

    def forward(self, x):
        self.x = x
        self.z = x.dot(self.W) + self.b
        self.y = np.log1p(np.exp(self.z)) if self.act == "softplus" else self.z
        return self.y

    def backward(self, dy, lr):
        dz = dy / (1 + np.exp(-self.z)) if self.act == "softplus" else dy
        dx = dz.dot(self.W.T)
        self.W -= lr * self.x.T.dot(dz)
        self.b -= lr * dz.sum(axis=0)
        return dx


x = rng.uniform(-1, 1, (150, 1))
y = x**3 - 0.5 * x
difficulty = np.abs(x[:, 0])
easy_first = np.argsort(difficulty)
net = [Dense(1, 16, "softplus"), Dense(16, 8, "softplus"), Dense(8, 1)]
losses = []
for epoch in range(60):
    share = min(1.0, 0.3 + epoch / 40)
    pool = easy_first[: int(share * len(x))]
    batch = rng.choice(pool, 32)
    out = x[batch]
    for layer in net:
        out = layer.forward(out)
    diff = out - y[batch]
    losses.append(np.mean(diff**2))
    d = 2 * diff / diff.size
    for layer in reversed(net):
        d = layer.backward(d, lr=0.1)
print("first %.4f last %.4f" % (losses[0], losses[-1]))
if plt is not None:
    plt.plot(losses)
    plt.close()
