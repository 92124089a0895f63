"""The step is multiplied by zero.

What was measured: the gradient is not zero, the step is; the factor or the limit that is 0 is named. The script is watched further, in
case the factor grows.

Why it is wrong: a learning rate of 0, an integer division that gives 0, a clip to 0.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)
rate = 0.0

for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    W -= rate * dW
    b -= 0.1 * db
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)
rate = 0.1

for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    dW, db = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    W -= rate * dW
    b -= 0.1 * db
```

Look-alikes and limits: a warm-up that starts at zero changes the parameters later and is silent.
"""

from ..rule import Rule

RULE = Rule("BD307", "zero-step", "error", __doc__ or "")
