import numpy as np

rng = np.random.default_rng(0)
X = rng.standard_normal((12, 4))
Y = (X[:, :1] * X[:, 1:2] > 0).astype(float)


def initialise():
    p = {}
    p["W1"] = rng.standard_normal((4, 5)) * 0.5
    p["b1"] = np.zeros((1, 5))
    p["W2"] = rng.standard_normal((5, 1)) * 0.5
    p["b2"] = np.zeros((1, 1))
    return p


def forward(p):
    z1 = X @ p["W1"] + p["b1"]
    a1 = np.maximum(z1, 0)
    z2 = a1 @ p["W2"] + p["b2"]
    return z1, a1, z2


def backward(p, z1, a1, z2):
    grads = {}
    d2 = (z2 - Y) / len(X)
    grads["dW2"] = a1.T @ d2
    grads["db2"] = d2.sum(axis=0, keepdims=True)
    d1 = (d2 @ p["W2"].T) * (z1 > 0)
    grads["dW1"] = X.T @ d1
    grads["db1"] = d1.sum(axis=0, keepdims=True)
    return grads


def update(p, grads, lr):
    for k in range(1, 3):
        p["W" + str(k)] = p["W" + str(k)] - lr * grads["dW" + str(k)]
        p["b" + str(k)] = p["b" + str(k)] - lr * grads["db" + str(k)]
    return p


params = initialise()
for step in range(40):  # noqa: B007
    z1, a1, z2 = forward(params)
    loss = ((z2 - Y) ** 2).sum() / 2 / len(X)
    grads = backward(params, z1, a1, z2)
    params = update(params, grads, 0.1)
print(loss)
