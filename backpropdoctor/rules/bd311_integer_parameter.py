"""A parameter holds whole numbers.

What was measured: its type before and after the updates.

Why it is wrong: `W[:] = W - lr * dW` cuts every new value off to a whole number, so small steps do nothing.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = np.array([[1], [2], [3]]), np.zeros(1)

for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    W[:] = W - 0.1 * dW
    b -= 0.1 * db
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = np.array([[1.0], [2.0], [3.0]]), np.zeros(1)

for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    W[:] = W - 0.1 * dW
    b -= 0.1 * db
```

Look-alikes and limits: `W = W - lr * dW` makes an array of floats out of one of integers, and is fine.
"""

from ..rule import Rule

RULE = Rule("BD311", "integer-parameter", "error", __doc__ or "")
