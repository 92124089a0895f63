def s(z):
    return 1 / (1 + np.exp(-z))


def loss(p, d):
    B, H = d["x"].shape[1], p["Wf"].shape[1]
    h, c = np.zeros((B, H)), np.zeros((B, H))
    for x in d["x"]:
        v = np.concatenate([h, x], axis=1)
        c = s(v @ p["Wf"] + p["bf"]) * c + s(v @ p["Wi"] + p["bi"]) * np.tanh(v @ p["Wg"] + p["bg"])
        h = s(v @ p["Wo"] + p["bo"]) * np.tanh(c)
    z = h @ p["Wy"] + p["by"]
    return (np.log(np.exp(z).sum(1)) - z[range(B), d["y"]]).mean()
