# DQN, own target, gathered actions, the loss printed
import numpy as np
rng = np.random.default_rng(2)
class Net:
    def __init__(self, d, h, a):
        self.W1 = rng.standard_normal((d, h)) * .3; self.b1 = np.zeros(h)
        self.W2 = rng.standard_normal((h, a)) * .3; self.b2 = np.zeros(a)
    def forward(self, x):
        z = x @ self.W1 + self.b1
        h = np.maximum(z, 0)
        return h @ self.W2 + self.b2, (x, z, h)
    def backward(self, dq, cache):
        x, z, h = cache
        self.dW2 = h.T @ dq; self.db2 = dq.sum(0)
        dz = (dq @ self.W2.T) * (z > 0)
        self.dW1 = x.T @ dz; self.db1 = dz.sum(0)
    def step(self, lr):
        for k in ("W1", "b1", "W2", "b2"):
            setattr(self, k, getattr(self, k) - lr * getattr(self, "d" + k))
net = Net(5, 12, 3)
buf = [(rng.standard_normal(5), rng.integers(3), rng.normal(), rng.standard_normal(5), rng.random() < .1) for _ in range(300)]
for it in range(80):
    idx = rng.choice(300, 16, replace=False)
    S = np.array([buf[i][0] for i in idx]); A = np.array([buf[i][1] for i in idx]); R = np.array([buf[i][2] for i in idx])
    S2 = np.array([buf[i][3] for i in idx]); D = np.array([buf[i][4] for i in idx], float)
    qn, _ = net.forward(S2)
    q, cache = net.forward(S)
    target = q.copy()
    for j in range(16):
        target[j, A[j]] = R[j] if D[j] else R[j] + 0.9 * np.amax(qn[j])
    loss = np.mean((q - target) ** 2)
    dq = 2 * (q - target) / q.size
    net.backward(dq, cache)
    net.step(.05)
    if it % 20 == 0: print("loss", loss)
