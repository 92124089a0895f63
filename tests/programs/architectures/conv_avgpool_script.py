import numpy as np

gen = np.random.RandomState(6)
N = 5
imgs = gen.randn(N, 1, 6, 6)
target = gen.randint(0, 2, (N, 1)).astype(float)
padded = np.pad(imgs, ((0, 0), (0, 0), (1, 1), (1, 1)))

kern = gen.randn(2, 1, 3, 3) * 0.5
kern_bias = gen.randn(2) * 0.2
point = gen.randn(3, 2, 1, 1)
weights = gen.randn(12, 1)
bias = gen.randn(1) * 0.1
lr = 0.2

for it in range(12):
    conv = np.zeros((N, 2, 6, 6))
    for r in range(6):
        for s in range(6):
            region = padded[:, :, r:r + 3, s:s + 3]
            conv[:, :, r, s] = np.tensordot(region, kern, axes=([1, 2, 3], [1, 2, 3]))
    conv = conv + kern_bias.reshape(1, 2, 1, 1)
    act = 1 / (1 + np.exp(-conv))
    pool = act.reshape(N, 2, 2, 3, 2, 3).mean(axis=(3, 5))
    mixed = np.einsum("ncij,fc->nfij", pool, point[:, :, 0, 0])
    feat = np.tanh(mixed)
    logits = feat.reshape(N, -1) @ weights + bias
    prob = 1 / (1 + np.exp(-logits))
    loss = -np.mean(target * np.log(prob) + (1 - target) * np.log(1 - prob))
    if it % 3 == 0:
        print("it", it, "bce", loss)

    dlogits = (prob - target) / N
    dweights = feat.reshape(N, -1).T @ dlogits
    dbias = dlogits.sum(axis=0)
    dfeat = (dlogits @ weights.T).reshape(feat.shape)
    dmixed = dfeat * (1 - feat ** 2)
    dpoint = np.zeros_like(point)
    dpoint[:, :, 0, 0] = np.einsum("nfij,ncij->fc", dmixed, pool)
    dpool = np.einsum("nfij,fc->ncij", dmixed, point[:, :, 0, 0])
    dact = np.repeat(np.repeat(dpool, 3, axis=2), 3, axis=3) / 9
    dconv = dact * act * (1 - act)
    dkern_bias = dconv.sum(axis=(0, 2, 3))
    dkern = np.zeros_like(kern)
    for r in range(6):
        for s in range(6):
            region = padded[:, :, r:r + 3, s:s + 3]
            dkern += np.tensordot(dconv[:, :, r, s], region, axes=(0, 0))

    kern -= lr * dkern
    kern_bias -= lr * dkern_bias
    point -= lr * dpoint
    weights -= lr * dweights
    bias -= lr * dbias
