import numpy as np

rng = np.random.default_rng(4)
n, stride, k = 5, 2, 3
images = rng.normal(size=(n, 2, 7, 7))
labels = rng.integers(0, 3, n)
kernels = rng.normal(size=(3, 2, k, k)) * 0.3
kernel_bias = rng.normal(size=3) * 0.1
W = rng.normal(size=(27, 3)) * 0.3
b = rng.normal(size=3) * 0.1
lr = 0.1

for step in range(12):
    maps = np.zeros((n, 3, 3, 3))
    for i in range(3):
        for j in range(3):
            patch = images[:, :, i * stride:i * stride + k, j * stride:j * stride + k]
            for f in range(3):
                maps[:, f, i, j] = np.sum(patch * kernels[f], axis=(1, 2, 3)) + kernel_bias[f]
    act = np.tanh(maps)
    flat = act.reshape(n, -1)
    scores = flat @ W + b
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    probs = e / e.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(probs[np.arange(n), labels]))
    print(step, loss)

    dscores = probs.copy()
    dscores[np.arange(n), labels] -= 1
    dscores /= n
    dW = flat.T @ dscores
    db = dscores.sum(axis=0)
    dact = (dscores @ W.T).reshape(act.shape)
    dmaps = dact * (1 - act ** 2)
    dkernels = np.zeros_like(kernels)
    dkernel_bias = np.zeros_like(kernel_bias)
    for i in range(3):
        for j in range(3):
            patch = images[:, :, i * stride:i * stride + k, j * stride:j * stride + k]
            for f in range(3):
                dkernels[f] += np.sum(patch * dmaps[:, f, i, j].reshape(n, 1, 1, 1), axis=0)
    for f in range(3):
        dkernel_bias[f] = np.sum(dmaps[:, f])

    kernels -= lr * dkernels
    kernel_bias -= lr * dkernel_bias
    W -= lr * dW
    b -= lr * db
