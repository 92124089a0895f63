"""The function that updates the parameters is never called.

What was measured: no update is recorded, and nothing in the program mentions the function that holds one (or the script ends without a
call).

Why it is wrong: the gradients are computed and thrown away.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)


def update():
    global W, b
    W -= 0.1 * dW
    b -= 0.1 * db


for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)


def update():
    global W, b
    W -= 0.1 * dW
    b -= 0.1 * db


for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    update()
```

Look-alikes and limits: a spare optimiser that nobody calls is silent as long as the parameters change by another.
"""

from ..rule import Rule

RULE = Rule("BD303", "update-function-not-called", "error", __doc__ or "")
