"""The parameter is updated and then put back to its old value.

What was measured: its place held the new value and, by a later statement, the old one again, bit by bit.

Why it is wrong: a best state restored in every step, a variable assigned from an old reference.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)
kept = W.copy()

for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    W -= 0.1 * dW
    b -= 0.1 * db
    W[:] = kept
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)
kept = W.copy()

for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    W -= 0.1 * dW
    b -= 0.1 * db
    kept[:] = W
```

Look-alikes and limits: reading a parameter from its container at the start of each step is not a restoration.
"""

from ..rule import Rule

RULE = Rule("BD306", "parameter-restored", "error", __doc__ or "")
