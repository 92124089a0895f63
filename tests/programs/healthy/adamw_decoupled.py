import numpy as np

rng = np.random.default_rng(4)
X = rng.normal(size=(64, 8)).astype(np.float64)
Y = np.sin(X[:, :2]).sum(1, keepdims=True)
params = {
    "w1": rng.normal(size=(8, 16)) * 0.3,
    "b1": np.zeros(16),
    "w2": rng.normal(size=(16, 1)) * 0.3,
    "b2": np.zeros(1),
}
m = {k: np.zeros_like(v) for k, v in params.items()}
v = {k: np.zeros_like(p) for k, p in params.items()}


def loss_and_grads(p, x, y):
    h = np.tanh(x @ p["w1"] + p["b1"])
    out = h @ p["w2"] + p["b2"]
    diff = out - y
    loss = 0.5 * np.mean(np.sum(diff**2, axis=1))
    g = {}
    d = diff / len(x)
    g["w2"], g["b2"] = h.T @ d, d.sum(0)
    d = (d @ p["w2"].T) * (1 - h**2)
    g["w1"], g["b1"] = x.T @ d, d.sum(0)
    return loss, g


beta1, beta2, eps, lr, weight_decay = 0.9, 0.999, 1e-8, 1e-2, 0.01
for t in range(1, 41):
    loss, grads = loss_and_grads(params, X, Y)
    for k in params:
        m[k] = beta1 * m[k] + (1 - beta1) * grads[k]
        v[k] = beta2 * v[k] + (1 - beta2) * grads[k] ** 2
        mhat = m[k] / (1 - beta1**t)
        vhat = v[k] / (1 - beta2**t)
        params[k] = params[k] * (1 - lr * weight_decay)
        params[k] = params[k] - lr * mhat / (np.sqrt(vhat) + eps)
    if t % 10 == 0:
        print(t, loss)
