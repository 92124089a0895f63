"""An array was changed in place under another name.

What was measured: the gradient is right with the value that the array had before the change. The edit is tried on the
recorded values, has to give the right gradients along directions that it was not found with, and is then made in a
copy of the program, which is checked again.

Why it is wrong: `a = b` copies no array: both names stand for the same memory, and `a -= 1` changes `b` as well.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X = rng.standard_normal((20, 3))
y = X[:, :1] * X[:, 1:2]
W1, b1 = rng.standard_normal((3, 4)), np.zeros((1, 4))
W2, b2 = rng.standard_normal((4, 1)), np.zeros((1, 1))

for step in range(50):
    z = X @ W1 + b1
    h = np.tanh(z)
    out = h @ W2 + b2
    loss = np.mean((out - y) ** 2)

    d_out = 2 * (out - y) / len(X)
    dW2 = h.T @ d_out
    db2 = d_out.sum(axis=0, keepdims=True)
    old = W2
    W2 -= 0.1 * dW2
    d_h = d_out @ old.T
    d_z = d_h * (1 - h**2)
    dW1 = X.T @ d_z
    db1 = d_z.sum(axis=0, keepdims=True)

    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    b2 -= 0.1 * db2
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
X = rng.standard_normal((20, 3))
y = X[:, :1] * X[:, 1:2]
W1, b1 = rng.standard_normal((3, 4)), np.zeros((1, 4))
W2, b2 = rng.standard_normal((4, 1)), np.zeros((1, 1))

for step in range(50):
    z = X @ W1 + b1
    h = np.tanh(z)
    out = h @ W2 + b2
    loss = np.mean((out - y) ** 2)

    d_out = 2 * (out - y) / len(X)
    dW2 = h.T @ d_out
    db2 = d_out.sum(axis=0, keepdims=True)
    old = W2.copy()
    W2 -= 0.1 * dW2
    d_h = d_out @ old.T
    d_z = d_h * (1 - h**2)
    dW1 = X.T @ d_z
    db1 = d_z.sum(axis=0, keepdims=True)

    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    b2 -= 0.1 * db2
```

Look-alikes and limits: a parameter that is updated too early under its own name is BD115. In-place changes that
nothing reads afterwards are harmless and not reported.
"""

from ..rule import Rule

RULE = Rule("BD116", "alias", "error", __doc__ or "")
