"""The gradient belongs to another loss.

What was measured: the first gradient of the backward pass is right for this loss once the derivative of another loss is taken out of it.
The edit is tried on the recorded values, has to give the right gradients along directions that it was not found with,
and is then made in a copy of the program, which is checked again.

Why it is wrong: `p - y` is the derivative of a cross-entropy behind its own softmax or sigmoid; times `p * (1 - p)`
it is that of the squared error. Each is right for its loss only.

Failing:

```python
import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


rng = np.random.default_rng(0)
X = rng.standard_normal((20, 4))
y = np.eye(3)[X[:, :3].argmax(axis=1)]
W = rng.standard_normal((4, 3))
b = np.zeros((1, 3))

for step in range(50):
    p = softmax(X @ W + b)
    loss = -np.mean(np.sum(y * np.log(p), axis=1))

    d_z = (p - y) * p * (1 - p) / len(X)
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
y = np.eye(3)[X[:, :3].argmax(axis=1)]
W = rng.standard_normal((4, 3))
b = np.zeros((1, 3))

for step in range(50):
    p = softmax(X @ W + b)
    loss = -np.mean(np.sum(y * np.log(p), axis=1))

    d_z = (p - y) / len(X)
    dW = X.T @ d_z
    db = d_z.sum(axis=0, keepdims=True)

    W -= 0.5 * dW
    b -= 0.5 * db
```

Look-alikes and limits: a common factor of all gradients (a sum for a mean) is BD103.
"""

from ..rule import Rule

RULE = Rule("BD120", "loss-mismatch", "error", __doc__ or "")
