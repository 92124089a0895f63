import numpy as np

rng = np.random.default_rng(18)
X = rng.uniform(-2, 2, size=(50, 1))
y = X**2
net = [dict(W=rng.normal(size=(1, 10)), b=np.zeros(10)), dict(W=rng.normal(size=(10, 1)) * 0.3, b=np.zeros(1))]
cache = [{k: np.zeros_like(v) for k, v in layer.items()} for layer in net]
mom = [{k: np.zeros_like(v) for k, v in layer.items()} for layer in net]
for it in range(50):
    h = np.tanh(X @ net[0]["W"] + net[0]["b"])
    out = h @ net[1]["W"] + net[1]["b"]
    cost = 0.5 * ((out - y) ** 2).mean()
    d1 = (out - y) / len(X)
    d0 = d1 @ net[1]["W"].T * (1 - h**2)
    grads = [dict(W=X.T @ d0, b=d0.sum(0)), dict(W=h.T @ d1, b=d1.sum(0))]
    for layer, g, c, v in zip(net, grads, cache, mom):
        for k in layer:
            c[k] = 0.9 * c[k] + 0.1 * g[k] ** 2
            v[k] = 0.8 * v[k] + 0.01 * g[k] / np.sqrt(c[k] + 1e-8)
            layer[k] -= v[k]
print(cost)
