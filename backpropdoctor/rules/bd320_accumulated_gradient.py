"""Gradients are added up and never cleared.

What was measured: the gradient of a step is that of the step before plus the new one, with a factor of exactly 1.

Why it is wrong: each step repeats all earlier ones: a momentum of 1.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)
dW = np.zeros((3, 1))

for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW += 2 * X.T @ error / error.size
    db = 2 * error.mean(axis=0)
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

Look-alikes and limits: accumulation over micro-batches clears its sum after the update; momentum has a factor below 1.
"""

from ..rule import Rule

RULE = Rule("BD320", "accumulated-gradient", "error", __doc__ or "")
