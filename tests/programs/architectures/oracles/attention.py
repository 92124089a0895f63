def loss(p, d):
    x = d["x"]
    q, k, v = x @ p["Wq"], x @ p["Wk"], x @ p["Wv"]
    e = np.exp(q @ k.swapaxes(1, 2) / q.shape[-1] ** 0.5)
    out = e / e.sum(-1, keepdims=True) @ v @ p["Wo"]
    return ((out - d["y"]) ** 2).mean()
