def loss(p, d):
    x = np.pad(d["x"], ((0, 0), (0, 0), (1, 1), (1, 1)))
    n = len(x)
    z = np.stack([np.stack([np.einsum("ncab,fcab->nf", x[:, :, i:i + 3, j:j + 3], p["K"]) for j in range(6)], 2) for i in range(6)], 2)
    a = 1 / (1 + np.exp(-(z + p["kb"].reshape(1, -1, 1, 1))))
    q = a.reshape(n, -1, 2, 3, 2, 3).mean(axis=(3, 5))
    z2 = np.stack([np.stack([np.einsum("ncab,fcab->nf", q[:, :, i:i + 1, j:j + 1], p["K2"]) for j in range(2)], 2) for i in range(2)], 2)
    z2 = z2 + (p["kb2"].reshape(1, -1, 1, 1) if "kb2" in p else 0)
    s = np.tanh(z2).reshape(n, -1) @ p["W"] + p["b"]
    return (np.log(1 + np.exp(s)) - d["y"] * s).mean()
