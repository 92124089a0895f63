import numpy as np


def gelu(x):
    return 0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x ** 3)))


def gelu_grad(x):
    t = np.tanh(0.7978845608 * (x + 0.044715 * x ** 3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t ** 2) * 0.7978845608 * (1 + 3 * 0.044715 * x ** 2)


class Block:
    def __init__(self, d, heads, rng):
        self.d, self.heads = d, heads
        s = 1 / np.sqrt(d)
        self.p = {
            "qkv": rng.normal(0, s, (d, 3 * d)), "proj": rng.normal(0, s, (d, d)),
            "g1": np.ones(d), "b1": np.zeros(d), "g2": np.ones(d), "b2": np.zeros(d),
            "up": rng.normal(0, s, (d, 2 * d)), "down": rng.normal(0, s, (2 * d, d)),
        }
        self.g = {}

    def norm(self, x, g, b):
        mu = x.mean(-1, keepdims=True)
        inv = 1 / np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        xhat = (x - mu) * inv
        return xhat * g + b, (xhat, inv)

    def norm_back(self, dy, g, saved):
        xhat, inv = saved
        dg, db = (dy * xhat).sum((0, 1)), dy.sum((0, 1))
        dxh = dy * g
        dx = inv * (dxh - dxh.mean(-1, keepdims=True) - xhat * (dxh * xhat).mean(-1, keepdims=True))
        return dx, dg, db

    def forward(self, x):
        n, t, d = x.shape
        h, k = self.heads, d // self.heads
        a, self.s1 = self.norm(x, self.p["g1"], self.p["b1"])
        qkv = a @ self.p["qkv"]
        q, key, v = [m.reshape(n, t, h, k).transpose(0, 2, 1, 3) for m in np.split(qkv, 3, axis=-1)]
        score = q @ key.transpose(0, 1, 3, 2) / np.sqrt(k)
        score = np.where(np.tril(np.ones((t, t))) == 1, score, -1e9)
        e = np.exp(score - score.max(-1, keepdims=True))
        w = e / e.sum(-1, keepdims=True)
        o = (w @ v).transpose(0, 2, 1, 3).reshape(n, t, d)
        x1 = x + o @ self.p["proj"]
        m, self.s2 = self.norm(x1, self.p["g2"], self.p["b2"])
        u = m @ self.p["up"]
        self.keep = (a, q, key, v, w, o, m, u)
        return x1 + gelu(u) @ self.p["down"]

    def backward(self, dy):
        a, q, key, v, w, o, m, u = self.keep
        n, t, d = dy.shape
        h, k = self.heads, d // self.heads
        self.g["down"] = np.einsum("ntu,ntd->ud", gelu(u), dy)
        du = dy @ self.p["down"].T * gelu_grad(u)
        self.g["up"] = np.einsum("ntd,ntu->du", m, du)
        dm = du @ self.p["up"].T
        dx1, self.g["g2"], self.g["b2"] = self.norm_back(dm, self.p["g2"], self.s2)
        dx1 = dx1 + dy
        self.g["proj"] = np.einsum("ntd,nte->de", o, dx1)
        do = (dx1 @ self.p["proj"].T).reshape(n, t, h, k).transpose(0, 2, 1, 3)
        dw = do @ v.transpose(0, 1, 3, 2)
        dv = w.transpose(0, 1, 3, 2) @ do
        ds = w * (dw - (dw * w).sum(-1, keepdims=True)) / np.sqrt(k)
        dq = ds @ key
        dk = ds.transpose(0, 1, 3, 2) @ q
        dqkv = np.concatenate([x.transpose(0, 2, 1, 3).reshape(n, t, d) for x in (dq, dk, dv)], axis=-1)
        self.g["qkv"] = np.einsum("ntd,nte->de", a, dqkv)
        da = dqkv @ self.p["qkv"].T
        dx, self.g["g1"], self.g["b1"] = self.norm_back(da, self.p["g1"], self.s1)
        return dx + dx1


rng = np.random.default_rng(2)
x, target = rng.normal(size=(3, 5, 8)), rng.normal(size=(3, 5, 8))
blocks = [Block(8, 2, rng) for _ in range(2)]
for it in range(12):
    y = x
    for blk in blocks:
        y = blk.forward(y)
    loss = ((y - target) ** 2).mean()
    dy = 2 * (y - target) / y.size
    for blk in reversed(blocks):
        dy = blk.backward(dy)
    for blk in blocks:
        for name in blk.p:
            blk.p[name] -= 0.1 * blk.g[name]
    if it % 4 == 0:
        print(it, loss)
