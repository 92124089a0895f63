"""Every step goes up the loss.

What was measured: the slope of the loss along the steps taken is positive in all recorded steps.

Why it is wrong: the gradient points uphill; it is subtracted, or its negative added.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)

for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    W += 0.1 * dW
    b += 0.1 * db
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

Look-alikes and limits: a gradient stored with the other sign and added is descent. A loss that is to grow (a likelihood, a reward) is
silent by its name.
"""

from ..rule import Rule

RULE = Rule("BD321", "steps-up-the-loss", "error", __doc__ or "")
