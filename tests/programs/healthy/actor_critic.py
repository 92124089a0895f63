import numpy as np

rng = np.random.default_rng(9)
theta, w = rng.normal(size=(4, 3)) * 0.1, np.zeros(4)
s = rng.normal(size=4)
for t in range(60):
    z = s @ theta
    p = np.exp(z - z.max())
    p /= p.sum()
    a = rng.choice(3, p=p)
    s2 = rng.normal(size=4)
    reward = s[0] * (a - 1)
    delta = reward + 0.9 * (w @ s2) - w @ s
    w += 0.05 * delta * s
    onehot = np.eye(3)[a]
    theta += 0.01 * delta * np.outer(s, onehot - p)
    s = s2
print(w)
