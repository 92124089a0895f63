"""The gradient is computed once and used in every step.

What was measured: the updates of several steps use one and the same array, unchanged.

Why it is wrong: the parameters move, the gradient stays: after a few steps it points nowhere.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)

for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    if step == 0:
        dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    W -= 0.1 * dW
    b -= 0.1 * db
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)

for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    W -= 0.1 * dW
    b -= 0.1 * db
```

Look-alikes and limits: the gradient of a straight line is the same everywhere; it is computed anew all the same.
"""

from ..rule import Rule

RULE = Rule("BD319", "stale-gradient", "error", __doc__ or "")
