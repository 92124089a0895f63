import numpy as np

rng = np.random.RandomState(11)
vocab, dim, hidden, n, length = 8, 5, 5, 5, 3
tokens = rng.randint(0, vocab, (n, length))
labels = rng.randint(0, 3, n)
params = {}
grads = {}
params["E"] = rng.randn(vocab, dim)
params["W1"] = rng.randn(dim, hidden) * 0.6
params["b1"] = rng.randn(hidden) * 0.1
params["W2"] = rng.randn(hidden, 3) * 0.6
params["b2"] = rng.randn(3) * 0.1
lr = 0.3

for step in range(30):
    vectors = params["E"][tokens]
    bag = vectors.mean(axis=1)
    h = np.tanh(bag @ params["W1"] + params["b1"])
    logits = h @ params["W2"] + params["b2"]
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(n), labels]).sum() / n
    if step % 10 == 0:
        print("step", step, "loss", loss)

    dlogits = p.copy()
    dlogits[np.arange(n), labels] -= 1
    dlogits /= n
    grads["W2"] = h.T @ dlogits
    grads["b2"] = dlogits.sum(axis=0)
    dh = dlogits @ params["W2"].T
    dpre = dh * (1 - h ** 2)
    grads["W1"] = bag.T @ dpre
    grads["b1"] = dpre.sum(axis=0)
    dbag = dpre @ params["W1"].T
    dvectors = np.repeat(dbag[:, None, :], length, axis=1) / length
    grads["E"] = np.zeros_like(params["E"])
    np.add.at(grads["E"], tokens, dvectors)

    for name in params:
        params[name] -= lr * grads[name]
