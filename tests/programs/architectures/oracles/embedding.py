def loss(p, d):
    h = np.tanh(p["E"][d["x"]].mean(1) @ p["W1"] + p["b1"])
    s = h @ p["W2"] + p["b2"]
    return (np.log(np.exp(s).sum(1)) - s[range(len(s)), d["y"]]).mean()
