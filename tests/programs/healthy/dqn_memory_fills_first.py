"""A tiny deep Q network with a replay buffer and a frozen target network on a corridor."""
import random
from collections import deque, namedtuple

import numpy as np

Transition = namedtuple("Transition", "s a r s2 done")


class Corridor:
    n = 6

    def reset(self):
        self.pos = 2
        return self._obs()

    def _obs(self):
        v = np.zeros(self.n)
        v[self.pos] = 1.0
        return v

    def step(self, action):
        self.pos = max(0, min(self.n - 1, self.pos + (1 if action else -1)))
        done = self.pos in (0, self.n - 1)
        return self._obs(), (1.0 if self.pos == self.n - 1 else 0.0) - 0.01, done


class QNet:
    def __init__(self, rng, n_in, n_hid, n_act):
        self.params = [
            rng.normal(0, 0.4, (n_in, n_hid)), np.zeros(n_hid),
            rng.normal(0, 0.4, (n_hid, n_act)), np.zeros(n_act),
        ]

    def __call__(self, s):
        W, b, V, c = self.params
        return np.maximum(0, s @ W + b) @ V + c

    def copy_from(self, other):
        self.params = [p.copy() for p in other.params]

    def train_batch(self, s, a, target, lr):
        W, b, V, c = self.params
        z = s @ W + b
        h = np.maximum(0, z)
        q = h @ V + c
        rows = np.arange(len(a))
        td = q[rows, a] - target
        loss = np.mean(np.where(np.abs(td) < 1, 0.5 * td**2, np.abs(td) - 0.5))
        dq = np.zeros_like(q)
        dq[rows, a] = np.clip(td, -1, 1) / len(a)
        dV = h.T @ dq
        dc = dq.sum(axis=0)
        dz = (dq @ V.T) * (z > 0)
        dW = s.T @ dz
        db = dz.sum(axis=0)
        for p, g in zip(self.params, (dW, db, dV, dc)):
            p -= lr * g
        return loss


random.seed(3)
rng = np.random.default_rng(3)
env, online, target = Corridor(), QNet(rng, 6, 12, 2), QNet(rng, 6, 12, 2)
target.copy_from(online)
memory = deque(maxlen=500)
step = 0
for episode in range(25):
    s, done = env.reset(), False
    while not done:
        a = random.randrange(2) if random.random() < 0.3 else int(np.argmax(online(s)))
        s2, r, done = env.step(a)
        memory.append(Transition(s, a, r, s2, done))
        s = s2
        step += 1
        if len(memory) >= 16:
            batch = random.sample(memory, 16)
            S, A, R, S2, D = (np.array(col) for col in zip(*batch))
            y = R + 0.95 * np.max(target(S2), axis=1) * (1 - D)
            loss = online.train_batch(S, A, y, lr=0.1)
        if step % 20 == 0:
            target.copy_from(online)
print("last loss", loss)
