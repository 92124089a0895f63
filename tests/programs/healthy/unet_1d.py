"""A U-net on signals: down, up, and the skip is concatenated; denoising with squared error."""

import numpy as np

np.random.seed(0)
N, L = 8, 8
t = np.linspace(0, 2 * np.pi, L)
clean = np.sin(t[None, :] + np.random.rand(N, 1) * 6)
noisy = clean + 0.3 * np.random.randn(N, L)

params = {
    "enc": np.random.randn(L, L) * 0.3,
    "enc_b": np.zeros(L),
    "mid": np.random.randn(L // 2, L // 2) * 0.3,
    "dec": np.random.randn(2 * L, L) * 0.3,
    "dec_b": np.zeros(L),
}


def pool(x):
    return 0.5 * (x[:, 0::2] + x[:, 1::2])


def unpool(x):
    return np.repeat(x, 2, axis=1)


def net(p, x):
    skip = np.tanh(x @ p["enc"] + p["enc_b"])
    low = pool(skip)
    mid = np.tanh(low @ p["mid"])
    up = unpool(mid)
    cat = np.concatenate([skip, up], axis=1)
    out = cat @ p["dec"] + p["dec_b"]
    return out, (x, skip, low, mid, cat)


def grads_of(p, cache, dout):
    x, skip, low, mid, cat = cache
    g = {}
    g["dec"] = cat.T @ dout
    g["dec_b"] = dout.sum(0)
    dcat = dout @ p["dec"].T
    dskip, dup = np.split(dcat, 2, axis=1)
    dmid = dup[:, 0::2] + dup[:, 1::2]
    dpre = dmid * (1 - mid**2)
    g["mid"] = low.T @ dpre
    dlow = dpre @ p["mid"].T
    dskip = dskip + 0.5 * np.repeat(dlow, 2, axis=1)
    dz = dskip * (1 - skip**2)
    g["enc"] = x.T @ dz
    g["enc_b"] = dz.sum(axis=0)
    return g


for it in range(100):
    out, cache = net(params, noisy)
    diff = out - clean
    mse = np.mean(diff**2)
    g = grads_of(params, cache, 2 * diff / diff.size)
    params = {k: params[k] - 0.5 * g[k] for k in params}
    if it % 25 == 0:
        print("it", it, "mse", mse)
