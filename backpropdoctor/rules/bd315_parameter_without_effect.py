"""The loss does not depend on a parameter.

What was measured: no operation leads from it to the loss, and its gradient is exactly zero in every recorded step, or the steps take
something else for its gradient (around a loop: moving it leaves the loss bitwise the same).

Why it is wrong: the forward pass does not use it: a bias that is never added.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)

for step in range(20):
    error = X @ W - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, np.zeros(1)
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

Look-alikes and limits: parameters that are meant to stay are named in `expect_frozen=`.
"""

from ..rule import Rule

RULE = Rule("BD315", "parameter-without-effect", "warning", __doc__ or "")
