import numpy as np

rng = np.random.default_rng(44)
X = rng.normal(size=(200, 3)) @ np.diag([3.0, 1.0, 0.5])
w = rng.normal(size=3)
w /= np.linalg.norm(w)
for x in X:
    y = w @ x
    w += 0.01 * y * (x - y * w)
print(w)
