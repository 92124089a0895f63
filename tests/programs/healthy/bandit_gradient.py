import numpy as np

rng = np.random.default_rng(15)
q = rng.normal(size=5)
H = np.zeros(5)
avg = 0.0
for t in range(1, 200):
    pi = np.exp(H) / np.exp(H).sum()
    a = rng.choice(5, p=pi)
    r = q[a] + rng.normal()
    avg += (r - avg) / t
    H -= 0.1 * (r - avg) * (pi - np.eye(5)[a])
print(pi, q)
