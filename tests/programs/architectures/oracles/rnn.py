def loss(p, d):
    h, total = np.zeros((d["x"].shape[1], p["Whh"].shape[0])), 0
    for x, y in zip(d["x"], d["y"]):
        h = np.tanh(x @ p["Wxh"] + h @ p["Whh"] + p["bh"])
        total = total + ((h @ p["Why"] + p["by"] - y) ** 2).sum() / 2
    return total / d["x"].shape[1]
