import numpy as np

rng = np.random.default_rng(5)
T, N, D, H = 6, 8, 3, 4
X = rng.normal(size=(T, N, D))
y = X.sum(axis=(0, 2))[:, None] * 0.3
P = {"Wx": rng.normal(size=(D, 4 * H)) * 0.3, "Wh": rng.normal(size=(H, 4 * H)) * 0.3, "b": np.zeros(4 * H), "V": rng.normal(size=(H, 1))}
sig = lambda z: 1 / (1 + np.exp(-z))
for it in range(15):
    h, c, mem = np.zeros((N, H)), np.zeros((N, H)), []
    for t in range(T):
        a = X[t] @ P["Wx"] + h @ P["Wh"] + P["b"]
        i, f, o, g = sig(a[:, :H]), sig(a[:, H : 2 * H]), sig(a[:, 2 * H : 3 * H]), np.tanh(a[:, 3 * H :])
        cn = f * c + i * g
        hn = o * np.tanh(cn)
        mem.append((h, c, i, f, o, g, cn))
        h, c = hn, cn
    out = h @ P["V"]
    loss = 0.5 * np.mean((out - y) ** 2)
    G = {k: np.zeros_like(v) for k, v in P.items()}
    d = (out - y) / N
    G["V"] = h.T @ d
    dh, dc = d @ P["V"].T, np.zeros((N, H))
    for t in reversed(range(T)):
        hp, cp, i, f, o, g, cn = mem[t]
        dct = dc + dh * o * (1 - np.tanh(cn) ** 2)
        da = np.hstack([dct * g * i * (1 - i), dct * cp * f * (1 - f), dh * np.tanh(cn) * o * (1 - o), dct * i * (1 - g**2)])
        G["Wx"] += X[t].T @ da
        G["Wh"] += hp.T @ da
        G["b"] += da.sum(0)
        dh, dc = da @ P["Wh"].T, dct * f
    total = np.sqrt(sum((v**2).sum() for v in G.values()))
    scale = min(1.0, 0.25 / (total + 1e-6))
    for k in P:
        P[k] -= 0.1 * scale * G[k]
print(loss)
