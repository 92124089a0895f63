import random

random.seed(43)
data = [([random.uniform(-1, 1), random.uniform(-1, 1)], 0) for _ in range(40)]
data = [(p, 1 if p[0] + 2 * p[1] > 0.2 else 0) for p, _ in data]
weights = [0.0, 0.0]
bias = 0.0
rate = 0.1
for epoch in range(10):
    mistakes = 0
    for inputs, label in data:
        activation = bias
        for i in range(len(inputs)):
            activation += weights[i] * inputs[i]
        prediction = 1 if activation >= 0 else 0
        error = label - prediction
        mistakes += abs(error)
        bias = bias + rate * error
        for i in range(len(weights)):
            weights[i] = weights[i] + rate * error * inputs[i]
    print(epoch, mistakes)
