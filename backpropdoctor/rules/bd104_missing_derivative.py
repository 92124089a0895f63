"""A factor of the chain rule is missing.

What was measured: what the statement makes is the gradient of the loss by the activation's output; times the derivative
in `help` every gradient behind it is right. The edit is tried on the recorded values, has to give the right gradients
along directions that it was not found with, and is then made in a copy of the program, which is checked again.

Why it is wrong: the gradient by a layer's input is the gradient by its output times the derivative of what lies
between. Without that factor the layers before it are trained as if the activation were the identity.

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
    d_z = d_h * 1
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

Look-alikes and limits: a derivative that is there but of another function is BD106, one at another value BD105. Where
the loss is a cross-entropy behind its own sigmoid or softmax, the derivative cancels and is rightly absent.
"""

from ..rule import Rule

RULE = Rule("BD104", "missing-derivative", "error", __doc__ or "")
