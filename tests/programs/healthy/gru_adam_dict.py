import numpy as np

rng = np.random.default_rng(3)
T, B, D, H, K = 5, 4, 3, 6, 2
xs = rng.normal(size=(T, B, D))
labels = rng.integers(0, K, size=B)

def glorot(a, b):
    return rng.normal(size=(a, b)) * np.sqrt(2 / (a + b))

theta = dict(
    Wr=glorot(D, H), Ur=glorot(H, H), br=np.zeros(H),
    Wu=glorot(D, H), Uu=glorot(H, H), bu=np.zeros(H),
    Wc=glorot(D, H), Uc=glorot(H, H), bc=np.zeros(H),
    Wo=glorot(H, K), bo=np.zeros(K),
)

def sig(a):
    return 1.0 / (1.0 + np.exp(-a))

def unroll(theta, xs):
    h = np.zeros((B, H))
    tape = []
    for x in xs:
        r = sig(x @ theta["Wr"] + h @ theta["Ur"] + theta["br"])
        u = sig(x @ theta["Wu"] + h @ theta["Uu"] + theta["bu"])
        c = np.tanh(x @ theta["Wc"] + (r * h) @ theta["Uc"] + theta["bc"])
        new = u * h + (1 - u) * c
        tape.append((x, h, r, u, c))
        h = new
    return h, tape

def objective(theta, xs, labels):
    h, tape = unroll(theta, xs)
    s = h @ theta["Wo"] + theta["bo"]
    s = s - s.max(axis=1, keepdims=True)
    p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    nll = -np.log(p[np.arange(len(labels)), labels]).mean()
    return nll, p, h, tape

def reverse(theta, p, h, tape, labels):
    g = {k: np.zeros_like(v) for k, v in theta.items()}
    ds = p.copy()
    ds[np.arange(len(labels)), labels] -= 1
    ds /= len(labels)
    g["Wo"] += h.T @ ds
    g["bo"] += ds.sum(0)
    dh = ds @ theta["Wo"].T
    for x, hp, r, u, c in reversed(tape):
        du = dh * (hp - c)
        dc = dh * (1 - u)
        dhp = dh * u
        dac = dc * (1 - c * c)
        g["Wc"] += x.T @ dac
        g["Uc"] += (r * hp).T @ dac
        g["bc"] += dac.sum(0)
        drh = dac @ theta["Uc"].T
        dr = drh * hp
        dhp += drh * r
        dau = du * u * (1 - u)
        g["Wu"] += x.T @ dau
        g["Uu"] += hp.T @ dau
        g["bu"] += dau.sum(0)
        dhp += dau @ theta["Uu"].T
        dar = dr * r * (1 - r)
        g["Wr"] += x.T @ dar
        g["Ur"] += hp.T @ dar
        g["br"] += dar.sum(0)
        dhp += dar @ theta["Ur"].T
        dh = dhp
    return g

m1 = {k: np.zeros_like(v) for k, v in theta.items()}
m2 = {k: np.zeros_like(v) for k, v in theta.items()}
for it in range(1, 41):
    nll, p, h, tape = objective(theta, xs, labels)
    g = reverse(theta, p, h, tape, labels)
    for k in theta:
        m1[k] = 0.9 * m1[k] + 0.1 * g[k]
        m2[k] = 0.999 * m2[k] + 0.001 * g[k] ** 2
        theta[k] -= 0.01 * (m1[k] / (1 - 0.9 ** it)) / (np.sqrt(m2[k] / (1 - 0.999 ** it)) + 1e-8)
    if it % 10 == 0:
        print(it, round(float(nll), 5))
