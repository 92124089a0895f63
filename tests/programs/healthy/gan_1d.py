import numpy as np

rng = np.random.default_rng(51)
g_w, g_b = 1.0, 0.0
d_w, d_b = 0.5, 0.0
sig = lambda x: 1 / (1 + np.exp(-x))
for it in range(40):
    real = rng.normal(3, 0.5, 32)
    noise = rng.normal(size=32)
    fake = g_w * noise + g_b
    pr, pf = sig(d_w * real + d_b), sig(d_w * fake + d_b)
    d_loss = -np.mean(np.log(pr)) - np.mean(np.log(1 - pf))
    grad_dw = np.mean((pr - 1) * real) + np.mean(pf * fake)
    grad_db = np.mean(pr - 1) + np.mean(pf)
    d_w -= 0.05 * grad_dw
    d_b -= 0.05 * grad_db
    noise = rng.normal(size=32)
    fake = g_w * noise + g_b
    pf = sig(d_w * fake + d_b)
    g_loss = -np.mean(np.log(pf))
    dfake = (pf - 1) * d_w / 32
    g_w -= 0.05 * np.sum(dfake * noise)
    g_b -= 0.05 * np.sum(dfake)
print(d_loss, g_loss)
