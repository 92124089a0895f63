"""A path on which the loss depends on a value is missing in its gradient.

What was measured: the gradient is right with the part that comes through a later time step, a skip connection or a
second branch. The edit is tried on the recorded values, has to give the right gradients along directions that it was
not found with, and is then made in a copy of the program, which is checked again.

Why it is wrong: the gradient by a value is the sum over all its uses. Leaving out the recurrent use turns
backpropagation through time into a sum of one-step gradients.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X = rng.standard_normal((5, 8, 2))
y = X.sum(axis=(0, 2))[:, None]
Wx, Wh = 0.5 * rng.standard_normal((2, 4)), 0.5 * rng.standard_normal((4, 4))
Wy = rng.standard_normal((4, 1))

for step in range(50):
    hs = [np.zeros((8, 4))]
    for t in range(5):
        hs.append(np.tanh(X[t] @ Wx + hs[t] @ Wh))
    outs = [h @ Wy for h in hs]
    loss = sum(np.mean((outs[t + 1] - y) ** 2) for t in range(5))

    dWx, dWh, dWy = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wy)
    dh_next = np.zeros((8, 4))
    for t in reversed(range(5)):
        d_out = 2 * (outs[t + 1] - y) / len(y)
        dWy += hs[t + 1].T @ d_out
        dh = d_out @ Wy.T
        dz = dh * (1 - hs[t + 1] ** 2)
        dWx += X[t].T @ dz
        dWh += hs[t].T @ dz
        dh_next = dz @ Wh.T

    Wx -= 0.05 * dWx
    Wh -= 0.05 * dWh
    Wy -= 0.05 * dWy
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
X = rng.standard_normal((5, 8, 2))
y = X.sum(axis=(0, 2))[:, None]
Wx, Wh = 0.5 * rng.standard_normal((2, 4)), 0.5 * rng.standard_normal((4, 4))
Wy = rng.standard_normal((4, 1))

for step in range(50):
    hs = [np.zeros((8, 4))]
    for t in range(5):
        hs.append(np.tanh(X[t] @ Wx + hs[t] @ Wh))
    outs = [h @ Wy for h in hs]
    loss = sum(np.mean((outs[t + 1] - y) ** 2) for t in range(5))

    dWx, dWh, dWy = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wy)
    dh_next = np.zeros((8, 4))
    for t in reversed(range(5)):
        d_out = 2 * (outs[t + 1] - y) / len(y)
        dWy += hs[t + 1].T @ d_out
        dh = d_out @ Wy.T + dh_next
        dz = dh * (1 - hs[t + 1] ** 2)
        dWx += X[t].T @ dz
        dWh += hs[t].T @ dz
        dh_next = dz @ Wh.T

    Wx -= 0.05 * dWx
    Wh -= 0.05 * dWh
    Wy -= 0.05 * dWy
```

Look-alikes and limits: truncated backpropagation through time leaves paths out on purpose; its gradients are reported
as wrong, since they are not those of the loss.
"""

from ..rule import Rule

RULE = Rule("BD118", "missing-path", "error", __doc__ or "")
