import numpy as np

r = np.random.default_rng(8)
X = r.normal(size=(60, 5))
y = X @ [2.0, 0, 0, -1, 0] + 0.1 * r.normal(size=60)
W, b = np.zeros(5), 0.0
lr, l1_penality, m = 0.05, 0.5, 60
for i in range(60):
    Y_pred = X.dot(W) + b
    dW = np.zeros(5)
    for j in range(5):
        if W[j] > 0:
            dW[j] = (-(2 * (X[:, j]).dot(y - Y_pred)) + l1_penality) / m
        else:
            dW[j] = (-(2 * (X[:, j]).dot(y - Y_pred)) - l1_penality) / m
    db = -2 * np.sum(y - Y_pred) / m
    W = W - lr * dW
    b = b - lr * db
print("mse", np.mean((y - Y_pred) ** 2))
