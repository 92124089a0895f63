"""Two parameters are one and the same array.

What was measured: both updates write into the same memory in one step.

Why it is wrong: `c = b` gives the array a second name, and each update changes both.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)
c = b

for step in range(20):
    error = X @ W + b + 2 * c - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    W -= 0.1 * dW
    b -= 0.1 * db
    c -= 0.2 * db
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)
c = b.copy()

for step in range(20):
    error = X @ W + b + 2 * c - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    W -= 0.1 * dW
    b -= 0.1 * db
    c -= 0.2 * db
```

Look-alikes and limits: weights that are tied on purpose, as a view or a transpose, are silent.
"""

from ..rule import Rule

RULE = Rule("BD318", "aliased-parameters", "error", __doc__ or "")
