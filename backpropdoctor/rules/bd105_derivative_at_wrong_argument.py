"""A derivative is taken at the wrong value.

What was measured: the gradient made here is wrong, and right with the same derivative at another value of the forward pass.
The edit is tried on the recorded values, has to give the right gradients along directions that it was not found with,
and is then made in a copy of the program, which is checked again.

Why it is wrong: a derivative belongs to the value that the function was applied to; many codes write it in terms of
the output instead (`1 - h**2` for tanh, `a * (1 - a)` for the sigmoid). Mixing the two gives numbers of the right
size that are no derivative.

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
    d_h = d_out @ W2.T
    d_z = d_h * (1 - z**2)
    dW1 = X.T @ d_z
    db1 = d_z.sum(axis=0, keepdims=True)

    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    W2 -= 0.1 * dW2
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
    d_h = d_out @ W2.T
    d_z = d_h * (1 - h**2)
    dW1 = X.T @ d_z
    db1 = d_z.sum(axis=0, keepdims=True)

    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    W2 -= 0.1 * dW2
    b2 -= 0.1 * db2
```

Look-alikes and limits: a factor of another form is BD106. `(a > 0)` and `(z > 0)` are the same for a ReLU, and
neither is reported.
"""

from ..rule import Rule

RULE = Rule("BD105", "derivative-at-wrong-argument", "error", __doc__ or "")
