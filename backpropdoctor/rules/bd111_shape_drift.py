"""Shapes drift apart by broadcasting.

What was measured: the gradient is right once an array has its other shape: (n, 1) where (n,) stood, or the reverse.
The edit is tried on the recorded values, has to give the right gradients along directions that it was not found with,
and is then made in a copy of the program, which is checked again.

Why it is wrong: `(n, 1) - (n,)` is an n x n array in NumPy. Sums and means hide it: the result has a plausible shape,
and every sample is compared with every other one.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X = rng.standard_normal((20, 3))
y = X[:, 0] * X[:, 1]
weights = [rng.standard_normal((3, 4)), rng.standard_normal((4, 4)), rng.standard_normal((4, 1))]

for step in range(50):
    acts = [X]
    for W in weights:
        acts.append(np.tanh(acts[-1] @ W))
    loss = np.mean((acts[-1] - y.reshape(-1, 1)) ** 2)

    d = 2 * (acts[-1] - y).mean(axis=1, keepdims=True) / len(X)
    grads = [None, None, None]
    for k in (2, 1, 0):
        d = d * (1 - acts[k + 1] ** 2)
        grads[k] = acts[k].T @ d
        d = d @ weights[k].T

    for k in range(3):
        weights[k] -= 0.1 * grads[k]
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
X = rng.standard_normal((20, 3))
y = X[:, 0] * X[:, 1]
weights = [rng.standard_normal((3, 4)), rng.standard_normal((4, 4)), rng.standard_normal((4, 1))]

for step in range(50):
    acts = [X]
    for W in weights:
        acts.append(np.tanh(acts[-1] @ W))
    loss = np.mean((acts[-1] - y.reshape(-1, 1)) ** 2)

    d = 2 * (acts[-1] - y.reshape(-1, 1)) / len(X)
    grads = [None, None, None]
    for k in (2, 1, 0):
        d = d * (1 - acts[k + 1] ** 2)
        grads[k] = acts[k].T @ d
        d = d @ weights[k].T

    for k in range(3):
        weights[k] -= 0.1 * grads[k]
```

Look-alikes and limits: a parameter that grows by broadcasting in its update is BD310.
"""

from ..rule import Rule

RULE = Rule("BD111", "shape-drift", "error", __doc__ or "")
