import numpy as np

rng = np.random.default_rng(3)
features = rng.normal(size=(40, 3))
labels = (features.sum(1, keepdims=True) > 0).astype(float)


class Classifier:
    def __init__(self, sizes, decay):
        self.weights = [rng.normal(size=s) * 0.5 for s in zip(sizes[:-1], sizes[1:])]
        self.biases = [np.zeros(n) for n in sizes[1:]]
        self.decay = decay

    def __call__(self, x):
        self.acts = [x]
        for W, b in zip(self.weights, self.biases):
            self.acts.append(1 / (1 + np.exp(-(self.acts[-1] @ W + b))))
        return self.acts[-1]

    def learn(self, y, rate):
        n = len(y)
        delta = self.acts[-1] - y
        for k in reversed(range(len(self.weights))):
            gW, gb = self.acts[k].T @ delta / n, delta.mean(axis=0)
            if k:
                delta = delta @ self.weights[k].T * self.acts[k] * (1 - self.acts[k])
            self.weights[k] *= 1 - rate * self.decay
            self.weights[k] -= rate * gW
            self.biases[k] -= rate * gb


net = Classifier([3, 7, 1], 1e-2)
for epoch in range(30):
    p = net(features)
    cost = -np.mean(labels * np.log(p) + (1 - labels) * np.log(1 - p))
    net.learn(labels, 0.5)
print(cost)
