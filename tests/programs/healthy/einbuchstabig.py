import numpy as np

r = np.random.default_rng(0)
x = r.normal(size=(60, 4))
t = (x[:, :1] * x[:, 1:2] > 0) * 1.0
A = r.normal(size=(4, 8)) * 0.5
a = np.zeros(8)
B = r.normal(size=(8, 1)) * 0.5
b = np.zeros(1)
e = 0.1
for k in range(40):
    h = np.tanh(x @ A + a)
    o = 1 / (1 + np.exp(-(h @ B + b)))
    d = (o - t) / len(x)
    D = d @ B.T * (1 - h * h)
    B -= e * h.T @ d
    b -= e * d.sum(0)
    A -= e * x.T @ D
    a -= e * D.sum(0)
print(((o > 0.5) == t).mean())
