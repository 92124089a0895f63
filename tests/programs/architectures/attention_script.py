import numpy as np

np.random.seed(14)
B, T, D, A = 4, 4, 4, 4
x = np.random.randn(B, T, D)
y = np.random.randn(B, T, D)
params = {}
grads = {}
params["Wq"] = np.random.randn(D, A) * 0.6
params["Wk"] = np.random.randn(D, A) * 0.6
params["Wv"] = np.random.randn(D, A) * 0.6
params["Wo"] = np.random.randn(A, D) * 0.6
scale = 1 / np.sqrt(A)
lr = 0.3

for step in range(20):
    q = x @ params["Wq"]
    k = x @ params["Wk"]
    v = x @ params["Wv"]
    scores = scale * (q @ k.transpose(0, 2, 1))
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    att = e / e.sum(axis=-1, keepdims=True)
    ctx = att @ v
    out = ctx @ params["Wo"]
    loss = np.mean((out - y) ** 2)
    if step % 5 == 0:
        print(step, loss)

    dout = 2 * (out - y) / y.size
    grads["Wo"] = np.einsum("bta,btd->ad", ctx, dout)
    dctx = dout @ params["Wo"].T
    datt = dctx @ v.transpose(0, 2, 1)
    dv = att.transpose(0, 2, 1) @ dctx
    dscores = att * (datt - np.sum(datt * att, axis=-1, keepdims=True))
    dq = scale * (dscores @ k)
    dk = scale * (dscores.transpose(0, 2, 1) @ q)
    grads["Wq"] = np.einsum("btd,bta->da", x, dq)
    grads["Wk"] = np.einsum("btd,bta->da", x, dk)
    grads["Wv"] = np.einsum("btd,bta->da", x, dv)

    for name in params:
        params[name] -= lr * grads[name]
