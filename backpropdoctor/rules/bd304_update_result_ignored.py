"""The new parameters that a function returns are thrown away.

What was measured: the step is computed inside a function that returns it; the call is a statement of its own, and the next step reads the
old value.

Why it is wrong: `w = w - lr * g` makes a new array; the caller's array stays as it was.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)


def moved(w, g):
    return w - 0.1 * g


for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    moved(W, dW)
    b -= 0.1 * db
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)


def moved(w, g):
    return w - 0.1 * g


for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    W = moved(W, dW)
    b -= 0.1 * db
```

Look-alikes and limits: a function that changes the array in place and returns it may be called for its effect.
"""

from ..rule import Rule

RULE = Rule("BD304", "update-result-ignored", "error", __doc__ or "")
