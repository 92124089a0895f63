"""Curriculum: sorted by difficulty, more and more of it; noise is added to the inputs as augmentation."""

import numpy as np

LEARNING = {"rate": 0.3, "noise": 0.1}
rng = np.random.default_rng(33)
points = rng.uniform(-2, 2, (90, 2))
labels = (np.abs(points).sum(1) > 1.8).astype(int)
hardness = -np.abs(np.abs(points).sum(1) - 1.8)
order = np.argsort(hardness)
points, labels = points[order], labels[order]
soft = np.eye(2)[labels] * 0.9 + 0.05

w_in = rng.normal(0, 0.8, (2, 16))
w_out = rng.normal(0, 0.4, (16, 2))
b_in, b_out = np.zeros(16), np.zeros(2)


def curriculum(stages):
    for stage in range(1, stages + 1):
        upto = len(points) * stage // stages
        for _ in range(10):
            pick = rng.integers(0, upto, 20)
            noise = LEARNING["noise"] * rng.standard_normal((20, 2))
            yield stage, points[pick] + noise, soft[pick]


def train():
    global w_in, w_out, b_in, b_out
    for stage, x, t in curriculum(4):
        z = x @ w_in + b_in
        h = z * 0.5 * (1 + np.tanh(z))
        s = h @ w_out + b_out
        s = s - s.max(1, keepdims=True)
        logp = s - np.log(np.exp(s).sum(1, keepdims=True))
        ce = -(t * logp).sum(1).mean()
        ds = (np.exp(logp) * t.sum(1, keepdims=True) - t) / len(x)
        dh = ds @ w_out.T
        th = np.tanh(z)
        dz = dh * (0.5 * (1 + th) + 0.5 * z * (1 - th**2))
        w_out = w_out - LEARNING["rate"] * (h.T @ ds)
        b_out = b_out - LEARNING["rate"] * ds.sum(0)
        w_in = w_in - LEARNING["rate"] * (x.T @ dz)
        b_in = b_in - LEARNING["rate"] * dz.sum(0)
        yield stage, ce


for k, (stage, ce) in enumerate(train()):
    if k % 10 == 0:
        print(stage, ce)
