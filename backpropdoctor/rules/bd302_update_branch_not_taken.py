"""The branch that updates the parameters is never taken.

What was measured: no update is recorded in the first steps; a second run of the script counts how often the condition is reached and
never true.

Why it is wrong: a condition on a misspelt mode, a counter that never gets there, a limit on the wrong side.

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
    if step > 20:
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
    if step > 2:
        W -= 0.1 * dW
        b -= 0.1 * db
```

Look-alikes and limits: gradient accumulation and delayed training take their branch later: the second run sees it. A condition whose
values stay the same three times is decided; else the script's end, or nothing is said.
"""

from ..rule import Rule

RULE = Rule("BD302", "update-branch-not-taken", "error", __doc__ or "")
