"""The forward pass normalises or reduces over the wrong axis, and the backward pass is right for the other one.

What was measured: the gradients are right for the forward pass with the axis that `help` names. The edited program is
run and checked again.

Why it is wrong: a softmax over the batch makes the samples compete instead of the classes; the usual `p - y` is then
not its derivative, although that line is right.

Failing:

```python
import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=0, keepdims=True)


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

Look-alikes and limits: an axis in the backward pass is BD110.
"""

from ..rule import Rule

RULE = Rule("BD121", "forward-axis", "error", __doc__ or "")
