import numpy as np


class Linear:
    def __init__(self, n_in, n_out, rs):
        self.w = rs.standard_normal((n_in, n_out)) / np.sqrt(n_in)
        self.b = np.zeros((1, n_out))

    def __call__(self, x):
        self.x = x
        return x @ self.w + self.b

    def pull(self, gy):
        self.gw = self.x.T @ gy
        self.gb = gy.sum(axis=0, keepdims=True)
        return gy @ self.w.T

    def step(self, eta):
        self.w -= eta * self.gw
        self.b -= eta * self.gb


class Tanh:
    def __call__(self, x):
        self.y = np.tanh(x)
        return self.y

    def pull(self, gy):
        return gy * (1 - self.y ** 2)

    def step(self, eta):
        pass


class VAE:
    def __init__(self, d, hidden, z, seed=0):
        rs = np.random.RandomState(seed)
        self.enc = [Linear(d, hidden, rs), Tanh()]
        self.mu, self.logvar = Linear(hidden, z, rs), Linear(hidden, z, rs)
        self.dec = [Linear(z, hidden, rs), Tanh(), Linear(hidden, d, rs)]
        self.rs = rs

    def run(self, x):
        h = x
        for layer in self.enc:
            h = layer(h)
        self.m, self.lv = self.mu(h), self.logvar(h)
        self.eps = self.rs.standard_normal(self.m.shape)
        self.sd = np.exp(0.5 * self.lv)
        out = self.m + self.sd * self.eps
        for layer in self.dec:
            out = layer(out)
        return out

    def elbo(self, x, out):
        rec = 0.5 * np.sum((out - x) ** 2)
        kl = -0.5 * np.sum(1 + self.lv - self.m ** 2 - np.exp(self.lv))
        return (rec + kl) / len(x)

    def back(self, x, out):
        n = len(x)
        g = (out - x) / n
        for layer in self.dec[::-1]:
            g = layer.pull(g)
        gm = g + self.m / n
        glv = g * self.eps * 0.5 * self.sd + 0.5 * (np.exp(self.lv) - 1) / n
        gh = self.mu.pull(gm) + self.logvar.pull(glv)
        for layer in self.enc[::-1]:
            gh = layer.pull(gh)

    def update(self, eta):
        for layer in [*self.enc, self.mu, self.logvar, *self.dec]:
            layer.step(eta)


data = np.random.RandomState(5).rand(16, 7)
net = VAE(7, 9, 3)
for epoch in range(25):
    out = net.run(data)
    loss = net.elbo(data, out)
    net.back(data, out)
    net.update(0.05)
    if epoch % 5 == 0:
        print(f"{epoch:3d} {loss:.4f}")
