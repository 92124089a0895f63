import numpy as np

rng = np.random.default_rng(4)
X = rng.normal(size=(6, 50))
Y = (X.sum(0, keepdims=True) > 0) * 1


def propagate(w, b, X, Y):
    m = X.shape[1]
    A = 1 / (1 + np.exp(-(np.dot(w.T, X) + b)))
    cost = -1 / m * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    dw = 1 / m * np.dot(X, (A - Y).T)
    db = 1 / m * np.sum(A - Y)
    return {"dw": dw, "db": db}, np.squeeze(cost)


def optimize(w, b, X, Y, num_iterations, learning_rate):
    costs = []
    for i in range(num_iterations):
        grads, cost = propagate(w, b, X, Y)
        w = w - learning_rate * grads["dw"]
        b = b - learning_rate * grads["db"]
        if i % 10 == 0:
            costs.append(cost)
    return w, b, costs


w, b, costs = optimize(np.zeros((6, 1)), 0.0, X, Y, 50, 0.1)
print(costs)
