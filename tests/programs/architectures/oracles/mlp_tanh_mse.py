def loss(p, d):
    return ((np.tanh(d["x"] @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"] - d["y"]) ** 2).mean()
