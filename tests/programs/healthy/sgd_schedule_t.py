import numpy as np

np.random.seed(7)
m = 40
X_b = np.c_[np.ones((m, 1)), np.random.rand(m, 1)]
y = 4 + 3 * X_b[:, 1:] + 0.1 * np.random.randn(m, 1)
t0, t1 = 5, 50


def learning_schedule(t):
    return t0 / (t + t1)


theta = np.random.randn(2, 1)
for epoch in range(5):
    for i in range(m):
        k = np.random.randint(m)
        xi, yi = X_b[k : k + 1], y[k : k + 1]
        gradients = 2 * xi.T.dot(xi.dot(theta) - yi)
        theta = theta - learning_schedule(epoch * m + i) * gradients
print(theta)
