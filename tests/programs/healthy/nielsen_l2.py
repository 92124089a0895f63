import random

import numpy as np

random.seed(3)
np.random.seed(3)


class Network:
    def __init__(self, sizes):
        self.sizes = sizes
        self.biases = [np.random.randn(y, 1) for y in sizes[1:]]
        self.weights = [np.random.randn(y, x) / np.sqrt(x) for x, y in zip(sizes[:-1], sizes[1:])]

    def update_mini_batch(self, batch, eta, lmbda, n):
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        for x, y in batch:
            db, dw = self.backprop(x, y)
            nabla_b = [a + b for a, b in zip(nabla_b, db)]
            nabla_w = [a + b for a, b in zip(nabla_w, dw)]
        self.weights = [(1 - eta * (lmbda / n)) * w - (eta / len(batch)) * nw for w, nw in zip(self.weights, nabla_w)]
        self.biases = [b - (eta / len(batch)) * nb for b, nb in zip(self.biases, nabla_b)]

    def backprop(self, x, y):
        nb = [np.zeros(b.shape) for b in self.biases]
        nw = [np.zeros(w.shape) for w in self.weights]
        a, acts = x, [x]
        for b, w in zip(self.biases, self.weights):
            a = 1 / (1 + np.exp(-(w @ a + b)))
            acts.append(a)
        delta = acts[-1] - y
        nb[-1], nw[-1] = delta, delta @ acts[-2].T
        for l in range(2, len(self.sizes)):
            delta = self.weights[-l + 1].T @ delta * acts[-l] * (1 - acts[-l])
            nb[-l], nw[-l] = delta, delta @ acts[-l - 1].T
        return nb, nw

    def total_cost(self, data, lmbda):
        c = 0.0
        for x, y in data:
            a = x
            for b, w in zip(self.biases, self.weights):
                a = 1 / (1 + np.exp(-(w @ a + b)))
            c += np.sum(np.nan_to_num(-y * np.log(a) - (1 - y) * np.log(1 - a))) / len(data)
        return c + 0.5 * (lmbda / len(data)) * sum(np.linalg.norm(w) ** 2 for w in self.weights)


data = []
for _ in range(20):
    x = np.random.randn(3, 1)
    data.append((x, np.array([[float(x[0, 0] > 0)], [float(x[0, 0] <= 0)]])))
net = Network([3, 4, 2])
for epoch in range(4):
    random.shuffle(data)
    for k in range(0, 20, 5):
        net.update_mini_batch(data[k : k + 5], 0.5, 0.1, len(data))
    print(epoch, net.total_cost(data, 0.1))
