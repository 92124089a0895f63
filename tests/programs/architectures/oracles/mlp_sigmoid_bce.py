def s(z):
    return 1 / (1 + np.exp(-z))


def loss(p, d):
    h = s(p["W2"] @ s(p["W1"] @ d["x"] + p["b1"]) + p["b2"])
    z = p["W3"] @ h + p["b3"]
    return (np.log(1 + np.exp(z)) - d["y"] * z).mean()
