import numpy as np

np.random.seed(8)
girdi = np.random.randn(4, 50)
hedef = (girdi[0:1] + girdi[1:2] > 0).astype(int)


def agirliklari_olustur(n_girdi, n_gizli, n_cikti):
    return {
        "A1": np.random.randn(n_gizli, n_girdi) * 0.1,
        "s1": np.zeros((n_gizli, 1)),
        "A2": np.random.randn(n_cikti, n_gizli) * 0.1,
        "s2": np.zeros((n_cikti, 1)),
    }


def ileri(p, X):
    H = np.tanh(p["A1"] @ X + p["s1"])
    C = 1 / (1 + np.exp(-(p["A2"] @ H + p["s2"])))
    return H, C


def maliyet(C, Y):
    ornek = Y.shape[1]
    return -np.sum(Y * np.log(C) + (1 - Y) * np.log(1 - C)) / ornek


def geri(p, H, C, X, Y):
    ornek = Y.shape[1]
    hataC = C - Y
    hataH = p["A2"].T @ hataC * (1 - H**2)
    return {
        "A2": hataC @ H.T / ornek,
        "s2": hataC.sum(axis=1, keepdims=True) / ornek,
        "A1": hataH @ X.T / ornek,
        "s1": hataH.sum(axis=1, keepdims=True) / ornek,
    }


p = agirliklari_olustur(4, 6, 1)
for adim in range(40):
    H, C = ileri(p, girdi)
    turev = geri(p, H, C, girdi, hedef)
    for ad in p:
        p[ad] = p[ad] - 0.8 * turev[ad]
    if adim % 10 == 0:
        print(adim, maliyet(C, hedef))
