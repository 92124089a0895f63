"""A momentum is computed and never used.

What was measured: the value is fed with gradients in every step, and nothing reads it but its own next update.

Why it is wrong: the parameters are updated with the bare gradient: the momentum has no effect.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)
v = np.zeros((3, 1))

for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    v = 0.9 * v + dW
    W -= 0.1 * dW
    b -= 0.1 * db
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)
v = np.zeros((3, 1))

for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    v = 0.9 * v + dW
    W -= 0.01 * v
    b -= 0.1 * db
```

Look-alikes and limits: a running mean of the loss, kept for a plot, has not the shape of a parameter.
"""

from ..rule import Rule

RULE = Rule("BD323", "unused-momentum", "warning", __doc__ or "")
