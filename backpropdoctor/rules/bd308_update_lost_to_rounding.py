"""Updates are lost to rounding.

What was measured: the share of the elements whose step is at most half a unit in the last place of the parameter (IEEE 754, round to
nearest), and the share of the loss's first-order decrease that is lost with them. Half of the latter is the limit.

Why it is wrong: float16 keeps three decimal digits, float32 seven: 0.1 + 1e-6 is 0.1 in float16. The help names a type and a
learning rate that would lose less than 1 %, computed from the same numbers.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)).astype(np.float16), np.zeros(1)

for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    W -= 1e-6 * dW
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
    W -= 1e-6 * dW
    b -= 0.1 * db
```

Look-alikes and limits: runs in float16 that learn lose small steps too; below half of the decrease nothing is said. After convergence
all steps are lost, and that is no fault: the sum over all steps looked at decides.
"""

from ..rule import Rule

RULE = Rule("BD308", "update-lost-to-rounding", "error", __doc__ or "")
