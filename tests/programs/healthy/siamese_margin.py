"""Siamese network: both branches share one set of weights, pairs are pulled together or pushed apart."""

import numpy as np


class Encoder:
    def __init__(self, n_in, n_hid, n_out, rng):
        self.A = rng.normal(0, 1 / np.sqrt(n_in), (n_in, n_hid))
        self.B = rng.normal(0, 1 / np.sqrt(n_hid), (n_hid, n_out))
        self.zero_grad()

    def zero_grad(self):
        self.gA = np.zeros_like(self.A)
        self.gB = np.zeros_like(self.B)

    def __call__(self, x):
        h = np.tanh(x @ self.A)
        return h @ self.B, (x, h)

    def accumulate(self, ctx, g):
        x, h = ctx
        self.gB += h.T @ g
        self.gA += x.T @ ((g @ self.B.T) * (1 - h**2))


def pair_loss(u, v, same, margin=1.5):
    diff = u - v
    dist = np.sqrt(np.sum(diff**2, axis=1) + 1e-9)
    gap = np.maximum(0.0, margin - dist)
    loss = np.mean(same * dist**2 + (1 - same) * gap**2)
    dd = (2 * same * dist - 2 * (1 - same) * gap) / len(same)
    du = (dd / dist)[:, None] * diff
    return loss, du, -du


rng = np.random.default_rng(8)
centres = rng.normal(size=(3, 5))
labels1 = rng.integers(0, 3, 24)
labels2 = np.where(rng.random(24) < 0.5, labels1, rng.integers(0, 3, 24))
left = centres[labels1] + 0.2 * rng.normal(size=(24, 5))
right = centres[labels2] + 0.2 * rng.normal(size=(24, 5))
same = (labels1 == labels2).astype(float)

net = Encoder(5, 6, 2, rng)
for epoch in range(60):
    net.zero_grad()
    u, cu = net(left)
    v, cv = net(right)
    loss, du, dv = pair_loss(u, v, same)
    net.accumulate(cu, du)
    net.accumulate(cv, dv)
    net.A -= 0.1 * net.gA
    net.B -= 0.1 * net.gB
    if epoch % 20 == 0:
        print(f"epoch {epoch} loss {loss:.5f}")
