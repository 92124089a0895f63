import numpy as np

np.random.seed(2)
m = 40
X = np.random.randn(3, m)
Y = (X[:1] > X[1:2]).astype(float)
p = {"W1": np.random.randn(4, 3) * 0.1, "b1": np.zeros((4, 1)), "W2": np.random.randn(1, 4) * 0.1, "b2": np.zeros((1, 1))}
lambd = 0.7


def forward(X, p):
    Z1 = p["W1"] @ X + p["b1"]
    A1 = np.maximum(0, Z1)
    A2 = 1 / (1 + np.exp(-(p["W2"] @ A1 + p["b2"])))
    return A2, (Z1, A1)


def cost_with_reg(A2, Y, p):
    ce = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    return ce + lambd / (2 * m) * (np.sum(np.square(p["W1"])) + np.sum(np.square(p["W2"])))


def backward(X, Y, A2, cache, p):
    Z1, A1 = cache
    dZ2 = A2 - Y
    dW2 = 1 / m * dZ2 @ A1.T + lambd / m * p["W2"]
    db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = (p["W2"].T @ dZ2) * np.int64(A1 > 0)
    dW1 = 1 / m * dZ1 @ X.T + lambd / m * p["W1"]
    db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


for i in range(40):
    A2, cache = forward(X, p)
    cost = cost_with_reg(A2, Y, p)
    grads = backward(X, Y, A2, cache, p)
    for k in p:
        p[k] = p[k] - 0.5 * grads["d" + k]
    if i % 10 == 0:
        print(i, cost)
