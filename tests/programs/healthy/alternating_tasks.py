"""Multi-task training in alternating steps: the shared trunk is updated in every step, each head only in its own."""

import numpy as np

rng = np.random.default_rng(30)
X = rng.normal(size=(40, 5))
tasks = {"sum": X.sum(1, keepdims=True), "max": X.max(1, keepdims=True)}

trunk = rng.normal(0, 0.4, (5, 12))
heads = {name: rng.normal(0, 0.3, (12, 1)) for name in tasks}
names = list(tasks)

for step in range(60):
    task = names[step % len(names)]
    batch = rng.choice(40, 16, replace=False)
    xb, yb = X[batch], tasks[task][batch]
    z = xb @ trunk
    h = z * (z > 0)
    err = h @ heads[task] - yb
    huber = np.where(np.abs(err) < 1, 0.5 * err**2, np.abs(err) - 0.5)
    loss = huber.mean()

    derr = np.clip(err, -1, 1) / len(batch)
    dhead = h.T @ derr
    dz = derr @ heads[task].T * (z > 0)
    dtrunk = xb.T @ dz
    heads[task] -= 0.1 * dhead
    trunk -= 0.1 * dtrunk
    if step % 20 < 2:
        print(step, task, loss)
