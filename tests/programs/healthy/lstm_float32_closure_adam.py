"""Many-to-one LSTM, float32, one fused gate matrix, Adam with bias correction as a closure, early stopping on validation."""
import numpy as np

rng = np.random.default_rng(30)
f4 = np.float32
series = np.sin(np.arange(260) * 0.21) + 0.3 * np.sin(np.arange(260) * 0.07) + 0.02 * rng.standard_normal(260)
window, H = 3, 4
X = np.stack([series[i : i + window] for i in range(len(series) - window)]).astype(f4)[..., None]
Y = series[window:].astype(f4)[:, None]
split = 200
sig = lambda a: 1 / (1 + np.exp(-a))  # noqa: E731


def make_params():
    k = 1 / np.sqrt(H)
    return dict(
        Wx=rng.uniform(-k, k, (1, 4 * H)).astype(f4),
        Wh=rng.uniform(-k, k, (H, 4 * H)).astype(f4),
        b=np.concatenate([np.ones(H), np.zeros(3 * H)]).astype(f4),
        Wy=rng.uniform(-k, k, (H, 1)).astype(f4),
        by=np.zeros(1, f4),
    )


def adam(params, lr=5e-3, b1=0.9, b2=0.999, eps=1e-8):
    m = {k: np.zeros_like(v) for k, v in params.items()}
    s = {k: np.zeros_like(v) for k, v in params.items()}
    t = 0

    def step(grads):
        nonlocal t
        t += 1
        rate = lr * np.sqrt(1 - b2**t) / (1 - b1**t)
        for k in params:
            m[k] += (1 - b1) * (grads[k] - m[k])
            s[k] += (1 - b2) * (grads[k] ** 2 - s[k])
            params[k] -= (rate * m[k] / (np.sqrt(s[k]) + eps)).astype(f4)

    return step


def forward(p, x):
    n = x.shape[0]
    h, c = np.zeros((n, H), f4), np.zeros((n, H), f4)
    steps = []
    for t in range(x.shape[1]):
        a = x[:, t] @ p["Wx"] + h @ p["Wh"] + p["b"]
        f, i, o = sig(a[:, :H]), sig(a[:, H : 2 * H]), sig(a[:, 2 * H : 3 * H])
        g = np.tanh(a[:, 3 * H :])
        c_new = f * c + i * g
        steps.append((x[:, t], h, c, f, i, o, g, c_new))
        h, c = o * np.tanh(c_new), c_new
    return h @ p["Wy"] + p["by"], h, steps


def backward(p, dy, h, steps):
    g = {k: np.zeros_like(v) for k, v in p.items()}
    g["Wy"], g["by"] = h.T @ dy, dy.sum(0)
    dh, dc = dy @ p["Wy"].T, np.zeros_like(h)
    for x, hp, cp, f, i, o, gg, c in reversed(steps):
        tc = np.tanh(c)
        do = dh * tc
        dc = dc + dh * o * (1 - tc**2)
        df, di, dg = dc * cp, dc * gg, dc * i
        da = np.hstack([df * f * (1 - f), di * i * (1 - i), do * o * (1 - o), dg * (1 - gg**2)])
        g["Wx"] += x.T @ da
        g["Wh"] += hp.T @ da
        g["b"] += da.sum(0)
        dh = da @ p["Wh"].T
        dc = dc * f
    return g


p = make_params()
step = adam(p)
best, waited = np.inf, 0
for epoch in range(3):
    order = rng.permutation(split)
    for s in range(0, split, 40):
        b = order[s : s + 40]
        out, h, steps = forward(p, X[b])
        loss = np.mean((out - Y[b]) ** 2)
        step(backward(p, 2 * (out - Y[b]) / len(b), h, steps))
    val = np.mean((forward(p, X[split:])[0] - Y[split:]) ** 2)
    print(epoch, loss, val)
    if val < best:
        best, waited = val, 0
    else:
        waited += 1
        if waited == 3:
            break
