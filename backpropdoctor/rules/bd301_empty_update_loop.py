"""The loop that updates the parameters runs over nothing.

What was measured: the parameters stay bitwise the same while their gradients are not zero; the script is run a second time with a look at
the loop's header: its range, and the values that make it.

Why it is wrong: `range(a, b)` ends before b, and is empty where b is not above a. No line fails, and nothing is learned.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
params = [rng.standard_normal((3, 1))]

for step in range(20):
    error = X @ params[0] - Y
    loss = (error**2).mean()
    grads = [2 * X.T @ error / error.size]
    for k in range(1, len(params)):
        params[k] -= 0.1 * grads[k]
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
params = [rng.standard_normal((3, 1))]

for step in range(20):
    error = X @ params[0] - Y
    loss = (error**2).mean()
    grads = [2 * X.T @ error / error.size]
    for k in range(len(params)):
        params[k] -= 0.1 * grads[k]
```

Look-alikes and limits: a loop that is empty now and runs later (layers added one by one) is seen by the second run and not
reported. The code behind the loop is examined as well: keys that do not exist are named before they are reached.
"""

from ..rule import Rule

RULE = Rule("BD301", "empty-update-loop", "error", __doc__ or "")
