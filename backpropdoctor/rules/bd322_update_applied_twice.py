"""The same update is applied twice.

What was measured: two updates of one parameter in one step, with the same gradient and the same factor.

Why it is wrong: the step is twice what the learning rate says.

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
    W -= 0.1 * dW
    b -= 0.1 * db
    W -= 0.1 * dW
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

Look-alikes and limits: weight decay as a second update uses another value and is fine.
"""

from ..rule import Rule

RULE = Rule("BD322", "update-applied-twice", "error", __doc__ or "")
