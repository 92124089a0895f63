import numpy as np

np.random.seed(2)
m = 5
X = np.random.randn(5, m)
Y = (X[0:1] * X[1:2] + X[2:3] > 0) * 1.0


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


params = {
    "W1": np.random.randn(5, 5), "b1": 0.3 * np.random.randn(5, 1),
    "W2": np.random.randn(5, 5), "b2": 0.3 * np.random.randn(5, 1),
    "W3": np.random.randn(1, 5), "b3": 0.3 * np.random.randn(1, 1),
}
grads = {}
alpha = 0.5

for epoch in range(30):
    Z1 = np.dot(params["W1"], X) + params["b1"]
    A1 = sigmoid(Z1)
    Z2 = np.dot(params["W2"], A1) + params["b2"]
    A2 = sigmoid(Z2)
    Z3 = np.dot(params["W3"], A2) + params["b3"]
    A3 = sigmoid(Z3)
    cost = -np.sum(Y * np.log(A3) + (1 - Y) * np.log(1 - A3)) / m
    if epoch % 10 == 0:
        print("epoch", epoch, "cost", cost)

    dZ3 = (A3 - Y) / m
    grads["dW3"] = np.dot(dZ3, A2.T)
    grads["db3"] = np.sum(dZ3, axis=1, keepdims=True)
    dA2 = np.dot(params["W3"].T, dZ3)
    dZ2 = dA2 * A2 * (1 - A2)
    grads["dW2"] = np.dot(dZ2, A1.T)
    grads["db2"] = np.sum(dZ2, axis=1, keepdims=True)
    dA1 = np.dot(params["W2"].T, dZ2)
    dZ1 = dA1 * A1 * (1 - A1)
    grads["dW1"] = np.dot(dZ1, X.T)
    grads["db1"] = np.sum(dZ1, axis=1, keepdims=True)

    for key in params:
        params[key] = params[key] - alpha * grads["d" + key]
