"""Depthwise and pointwise convolution with dilation on short signals, and a transposed convolution back."""

import numpy as np

rng = np.random.default_rng(31)
N, C, L, K, DIL, O = 6, 3, 12, 3, 2, 4

x = rng.normal(size=(N, C, L))
y = np.roll(x.sum(axis=1), 1, axis=1)

dw = rng.normal(0, 0.4, (C, K))
pw = rng.normal(0, 0.4, (O, C))
up = rng.normal(0, 0.4, (O, K))

M = L - DIL * (K - 1)
lr = 0.01
for it in range(60):
    # depthwise, dilated
    a = np.zeros((N, C, M))
    for k in range(K):
        a += dw[None, :, k, None] * x[:, :, k * DIL : k * DIL + M]
    # pointwise
    b = np.tensordot(pw, a, axes=([1], [1])).transpose(1, 0, 2)
    c = np.tanh(b)
    # transposed convolution, dilated
    out = np.zeros((N, L))
    for k in range(K):
        out[:, k * DIL : k * DIL + M] += np.einsum("nom,o->nm", c, up[:, k])
    loss = 0.5 * np.sum((out - y) ** 2) / N

    dout = (out - y) / N
    dup = np.zeros_like(up)
    dc = np.zeros_like(c)
    for k in range(K):
        window = dout[:, k * DIL : k * DIL + M]
        dup[:, k] = np.einsum("nm,nom->o", window, c)
        dc += window[:, None, :] * up[None, :, k, None]
    db = dc * (1 - c * c)
    dpw = np.einsum("nom,ncm->oc", db, a)
    da = np.einsum("nom,oc->ncm", db, pw)
    ddw = np.zeros_like(dw)
    for k in range(K):
        ddw[:, k] = (da * x[:, :, k * DIL : k * DIL + M]).sum(axis=(0, 2))

    dw -= lr * ddw
    pw -= lr * dpw
    up -= lr * dup
    if it % 20 == 0:
        print(it, loss)
