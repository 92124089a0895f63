import numpy as np

rng = np.random.default_rng(31)
V, D, K = 20, 6, 3
corpus = rng.integers(0, V, 60)
inner = rng.normal(size=(V, D)) * 0.3
outer = rng.normal(size=(V, D)) * 0.3


def sgns(center, positive, negatives, lr):
    v = inner[center]
    ids = np.concatenate([[positive], negatives])
    label = np.zeros(len(ids))
    label[0] = 1
    U = outer[ids]
    p = 1 / (1 + np.exp(-U @ v))
    cost = -np.log(p[0]) - np.log(1 - p[1:]).sum()
    e = p - label
    grad_v = e @ U
    grad_U = np.outer(e, v)
    inner[center] -= lr * grad_v
    np.subtract.at(outer, ids, lr * grad_U)
    return cost


running = 0
for i in range(1, len(corpus) - 1):
    neg = rng.integers(0, V, K)
    running += sgns(corpus[i], corpus[i + 1], neg, 0.1)
print(running / len(corpus))
