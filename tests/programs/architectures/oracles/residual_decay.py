def loss(p, d):
    h0 = d["x"] @ p["W0"] + p["b0"]
    h1 = h0 + np.tanh(h0 @ p["W1"] + p["b1"])
    h2 = h1 + np.tanh(h1 @ p["W2"] + p["b2"])
    out = h2 @ p["W3"] + p["b3"]
    decay = sum((p[k] ** 2).sum() for k in ("W0", "W1", "W2", "W3"))
    return ((out - d["y"]) ** 2).mean() + 0.005 * decay
