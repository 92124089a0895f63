"""A key of a parameter or a gradient does not exist.

What was measured: the KeyError that ended the script, the keys there are, and the nearest; or a parameter that never changes while its
gradient stands under another key.

Why it is wrong: `grads["W"]` where the key is `dW`.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W, b = rng.standard_normal((3, 1)), np.zeros(1)

for step in range(20):
    error = X @ W + b - Y
    loss = (error**2).mean()
    grads = {}
    grads["dW"], grads["db"] = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    W -= 0.1 * grads["W"]
    b -= 0.1 * grads["db"]
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
    grads = {}
    grads["dW"], grads["db"] = 2 * X.T @ error / error.size, 2 * error.mean(axis=0)
    W -= 0.1 * grads["dW"]
    b -= 0.1 * grads["db"]
```

Look-alikes and limits: keys behind a loop that never ran are named with the loop (BD301).
"""

from ..rule import Rule

RULE = Rule("BD309", "wrong-update-key", "error", __doc__ or "")
