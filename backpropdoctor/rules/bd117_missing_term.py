"""A term of a gradient is missing, or there is one too many.

What was measured: the gradient is right with the term that `help` adds or drops. The edit is tried on the recorded
values, has to give the right gradients along directions that it was not found with, and is then made in a copy of the
program, which is checked again.

Why it is wrong: a value that is used twice gets the sum of two gradients, one for each use, and a penalty in the loss
adds its own derivative to the gradient. `dE[words] += g` adds one term for each word, however often it stands in `words`:
`np.add.at(dE, words, g)` adds them all. A loop that ends a turn too early leaves out what that turn would have added.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
decay = 0.01
X = rng.standard_normal((20, 3))
y = X[:, :1] * X[:, 1:2]
W = rng.standard_normal((3, 1))
b = np.zeros((1, 1))

for step in range(50):
    out = X @ W + b
    loss = np.mean((out - y) ** 2) + decay * np.sum(W**2)

    d_out = 2 * (out - y) / len(X)
    dW = X.T @ d_out
    db = d_out.sum(axis=0, keepdims=True)

    W -= 0.1 * dW
    b -= 0.1 * db
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
decay = 0.01
X = rng.standard_normal((20, 3))
y = X[:, :1] * X[:, 1:2]
W = rng.standard_normal((3, 1))
b = np.zeros((1, 1))

for step in range(50):
    out = X @ W + b
    loss = np.mean((out - y) ** 2) + decay * np.sum(W**2)

    d_out = 2 * (out - y) / len(X)
    dW = X.T @ d_out + 2 * decay * W
    db = d_out.sum(axis=0, keepdims=True)

    W -= 0.1 * dW
    b -= 0.1 * db
```

Look-alikes and limits: a whole path through a later step or a second branch is BD118. Weight decay in the update
alone, without a penalty in the loss, is a matter of taste and not reported.
"""

from ..rule import Rule

RULE = Rule("BD117", "missing-term", "error", __doc__ or "")
