import numpy as np

rng = np.random.default_rng(39)
X = np.concatenate([rng.normal(size=(30, 2)) + c for c in ((0, 0), (4, 4), (0, 5))])
centers = X[rng.choice(len(X), 3, replace=False)]
for it in range(10):
    d = ((X[:, None] - centers) ** 2).sum(axis=2)
    label = d.argmin(axis=1)
    inertia = d.min(axis=1).sum()
    centers = np.stack([X[label == k].mean(axis=0) for k in range(3)])
    print(it, inertia)
