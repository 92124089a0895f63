"""A parameter changes its shape when it is updated.

What was measured: its shape before and after the update.

Why it is wrong: (n, 1) minus (n,) broadcasts to (n, n). It goes on without an error, and wrong.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
b = np.zeros((3, 1))

for step in range(20):
    error = X.T + b[:, :1] - 1
    loss = (error**2).mean()
    db = 2 * error.mean(axis=1)
    b = b - 0.1 * db
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
b = np.zeros((3, 1))

for step in range(20):
    error = X.T + b[:, :1] - 1
    loss = (error**2).mean()
    db = 2 * error.mean(axis=1, keepdims=True)
    b = b - 0.1 * db
```

Look-alikes and limits: a gradient of shape (n,) on a bias of shape (1, n) broadcasts to (1, n), and is fine.
"""

from ..rule import Rule

RULE = Rule("BD310", "parameter-shape-drift", "error", __doc__ or "")
