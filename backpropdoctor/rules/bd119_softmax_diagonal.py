"""Only the diagonal of the softmax's derivative is used.

What was measured: the gradient is right with the whole derivative of the softmax, `p * (d - sum(d * p))`. The edit is
tried on the recorded values, has to give the right gradients along directions that it was not found with, and is then
made in a copy of the program, which is checked again.

Why it is wrong: every output of a softmax depends on every score: dp_i/dz_j = p_i (1[i=j] - p_j). `p * (1 - p)` is
only its diagonal.

Failing:

```python
import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


rng = np.random.default_rng(0)
X = rng.standard_normal((20, 4))
y = softmax(X[:, :3])
W = rng.standard_normal((4, 3))
b = np.zeros((1, 3))

for step in range(50):
    p = softmax(X @ W + b)
    loss = np.mean((p - y) ** 2)

    d_p = 2 * (p - y) / p.size
    d_z = d_p * p * (1 - p)
    dW = X.T @ d_z
    db = d_z.sum(axis=0, keepdims=True)

    W -= 0.5 * dW
    b -= 0.5 * db
```

Fixed:

```python
import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


rng = np.random.default_rng(0)
X = rng.standard_normal((20, 4))
y = softmax(X[:, :3])
W = rng.standard_normal((4, 3))
b = np.zeros((1, 3))

for step in range(50):
    p = softmax(X @ W + b)
    loss = np.mean((p - y) ** 2)

    d_p = 2 * (p - y) / p.size
    d_z = p * (d_p - np.sum(d_p * p, axis=1, keepdims=True))
    dW = X.T @ d_z
    db = d_z.sum(axis=0, keepdims=True)

    W -= 0.5 * dW
    b -= 0.5 * db
```

Look-alikes and limits: with a cross-entropy loss the whole derivative shortens to `p - y`, which is right.
"""

from ..rule import Rule

RULE = Rule("BD119", "softmax-diagonal", "error", __doc__ or "")
