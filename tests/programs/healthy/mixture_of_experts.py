"""Four linear experts under a softmax gate; gradients by einsum."""

import numpy as np

rng = np.random.default_rng(5)
n, d, k, m = 32, 3, 4, 2
x = rng.standard_normal((n, d))
y = np.where(x[:, :1] > 0, x @ rng.standard_normal((d, m)), x @ rng.standard_normal((d, m)))

experts = rng.standard_normal((k, d, m)) * 0.5
bias = np.zeros((k, m))
gate = rng.standard_normal((d, k)) * 0.5

eta = 0.1
history = []
for epoch in range(80):
    s = np.einsum("nd,dk->nk", x, gate)
    s = s - s.max(axis=1, keepdims=True)
    p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    o = np.einsum("nd,kdm->nkm", x, experts) + bias
    yhat = np.einsum("nk,nkm->nm", p, o)
    loss = 0.5 * np.mean(np.sum((yhat - y) ** 2, axis=1))

    g_yhat = (yhat - y) / n
    g_o = np.einsum("nk,nm->nkm", p, g_yhat)
    g_p = np.einsum("nkm,nm->nk", o, g_yhat)
    g_s = p * (g_p - np.einsum("nk,nk->n", p, g_p)[:, None])
    g_experts = np.einsum("nd,nkm->kdm", x, g_o)
    g_bias = np.einsum("nkm->km", g_o)
    g_gate = np.einsum("nd,nk->dk", x, g_s)

    experts -= eta * g_experts
    bias -= eta * g_bias
    gate -= eta * g_gate
    history.append(float(loss))

print(history[0], history[-1])
