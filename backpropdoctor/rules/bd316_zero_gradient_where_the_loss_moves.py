"""A gradient is zero although the loss depends on the parameter.

What was measured: the gradient is exactly zero in every recorded step, and the loss moves when the parameter is moved.

Why it is wrong: a term is missing in the backward pass: `db` is made and never filled.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)

for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, np.zeros_like(b)
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

Look-alikes and limits: behind a gate that starts at zero the first gradient is zero and the next ones are not.
"""

from ..rule import Rule

RULE = Rule("BD316", "zero-gradient-where-the-loss-moves", "error", __doc__ or "")
