"""Linear regression through every sample, theta updated with all at once, cost in a list."""
import numpy as np

np.random.seed(6)
x = 2 * np.random.rand(100, 1)
y = 4 + 3 * x + np.random.randn(100, 1)
X_b = np.c_[np.ones((100, 1)), x]
theta = np.random.randn(2, 1)
eta, n_iterations, m = 0.1, 60, 100
for iteration in range(n_iterations):
    gradients = 2 / m * X_b.T.dot(X_b.dot(theta) - y)
    theta = theta - eta * gradients
print(theta)
