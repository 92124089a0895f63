import numpy as np

rng = np.random.default_rng(14)
X = rng.normal(2.0, 0.7, size=(40, 1))
enc_w, enc_b = 0.3, 0.0
dec_w, dec_b = 0.5, 0.0
logvar = -0.5
for it in range(40):
    mu = enc_w * X + enc_b
    eps = rng.standard_normal(X.shape)
    z = mu + np.exp(0.5 * logvar) * eps
    rec = dec_w * z + dec_b
    kl = 0.5 * np.sum(mu**2 + np.exp(logvar) - 1 - logvar) / len(X)
    loss = 0.5 * np.mean((rec - X) ** 2) + kl
    drec = (rec - X) / len(X)
    ddec_w, ddec_b = np.sum(drec * z), np.sum(drec)
    dz = drec * dec_w
    dmu = dz + mu / len(X)
    denc_w, denc_b = np.sum(dmu * X), np.sum(dmu)
    dlogvar = np.sum(dz * eps) * 0.5 * np.exp(0.5 * logvar) + 0.5 * (np.exp(logvar) - 1)
    enc_w -= 0.1 * denc_w
    enc_b -= 0.1 * denc_b
    dec_w -= 0.1 * ddec_w
    dec_b -= 0.1 * ddec_b
    logvar -= 0.1 * dlogvar
print(loss)
