"""Recursion over binary trees (a Tree-RNN), trained with Nadam; gradients come back down the same recursion."""

import numpy as np

rng = np.random.default_rng(3)
D = 4
LEAVES = "abcd"


def random_tree(depth):
    if depth == 0 or rng.random() < 0.3:
        return str(rng.choice(list(LEAVES)))
    return (random_tree(depth - 1), random_tree(depth - 1))


def count_a(tree):
    return float(tree == "a") if isinstance(tree, str) else count_a(tree[0]) + count_a(tree[1])


params = {
    "leaf": rng.normal(0, 0.5, (len(LEAVES), D)),
    "L": rng.normal(0, 0.4, (D, D)),
    "R": rng.normal(0, 0.4, (D, D)),
    "bias": np.zeros(D),
    "out": rng.normal(0, 0.5, D),
}


def encode(tree):
    """The vector of a tree, and what its backward pass needs."""
    match tree:
        case str():
            k = LEAVES.index(tree)
            return params["leaf"][k], (k,)
        case (left, right):
            u, cu = encode(left)
            v, cv = encode(right)
            h = np.tanh(u @ params["L"] + v @ params["R"] + params["bias"])
            return h, (u, v, h, cu, cv)


def decode(cache, dh, grads):
    if len(cache) == 1:
        grads["leaf"][cache[0]] += dh
        return
    u, v, h, cu, cv = cache
    da = dh * (1 - h**2)
    grads["L"] += np.outer(u, da)
    grads["R"] += np.outer(v, da)
    grads["bias"] += da
    decode(cu, params["L"] @ da, grads)
    decode(cv, params["R"] @ da, grads)


trees = [random_tree(2) for _ in range(6)]
targets = [count_a(t) for t in trees]
m = {k: np.zeros_like(v) for k, v in params.items()}
s = {k: np.zeros_like(v) for k, v in params.items()}
b1, b2, lr = 0.9, 0.99, 0.02
for step in range(1, 21):
    grads = {k: np.zeros_like(v) for k, v in params.items()}
    loss = 0.0
    for tree, target in zip(trees, targets):
        h, cache = encode(tree)
        err = h @ params["out"] - target
        loss += 0.5 * err**2 / len(trees)
        d = err / len(trees)
        grads["out"] += d * h
        decode(cache, d * params["out"], grads)
    for k in params:
        m[k] = b1 * m[k] + (1 - b1) * grads[k]
        s[k] = b2 * s[k] + (1 - b2) * grads[k] ** 2
        mhat = b1 * m[k] / (1 - b1 ** (step + 1)) + (1 - b1) * grads[k] / (1 - b1**step)
        params[k] -= lr * mhat / (np.sqrt(s[k] / (1 - b2**step)) + 1e-8)
    if step % 5 == 0:
        print(step, loss)
