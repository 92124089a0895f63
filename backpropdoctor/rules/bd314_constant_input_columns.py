"""Weights behind inputs that are always zero cannot change.

What was measured: how many inputs are 0 in every sample of the data, and that the gradient is exactly zero there.

Why it is wrong: it is not: a pixel that is always black contributes nothing, so its weight has no effect and no gradient.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
X[:, 2] = 0
W, b = rng.standard_normal((3, 1)), np.zeros(1)

for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
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

Look-alikes and limits: rows of an embedding that no sample of the batch uses are zero in the gradient as well, and move later. The note
is given only where nothing else is wrong.
"""

from ..rule import Rule

RULE = Rule("BD314", "constant-input-columns", "note", __doc__ or "")
