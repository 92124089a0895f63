"""Two heads: regression and classification, losses weighted and added."""
import numpy as np

rng = np.random.default_rng(58)
X = rng.normal(size=(40, 5))
y_reg = X[:, :1] ** 2
y_cls = rng.integers(0, 3, 40)
p = {"shared": rng.normal(size=(5, 8)) * 0.4, "reg": rng.normal(size=(8, 1)) * 0.4, "cls": rng.normal(size=(8, 3)) * 0.4}
lam = 0.3
for it in range(30):
    h = np.tanh(X @ p["shared"])
    r = h @ p["reg"]
    s = h @ p["cls"]
    q = np.exp(s - s.max(1, keepdims=True))
    q /= q.sum(1, keepdims=True)
    loss_reg = np.mean((r - y_reg) ** 2)
    loss_cls = -np.mean(np.log(q[np.arange(40), y_cls]))
    loss = loss_reg + lam * loss_cls
    dr = 2 * (r - y_reg) / 40
    ds = q.copy()
    ds[np.arange(40), y_cls] -= 1
    ds *= lam / 40
    g = {"reg": h.T @ dr, "cls": h.T @ ds}
    g["shared"] = X.T @ ((dr @ p["reg"].T + ds @ p["cls"].T) * (1 - h**2))
    for k in p:
        p[k] -= 0.1 * g[k]
print(loss)
