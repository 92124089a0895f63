"""The update changes a copy, or gives a local name a new array.

What was measured: parameter minus step is computed and stored somewhere; the next step reads the old value, bit by bit.

Why it is wrong: `for w in (W, b): w = w - lr * g` moves the name `w` to a new array and leaves `W` where it was. `.copy()` does the same.

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
    for w, g in ((W, dW), (b, db)):
        w = w - 0.1 * g
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
    for w, g in ((W, dW), (b, db)):
        w -= 0.1 * g
```

Look-alikes and limits: a line search keeps its trial apart and accepts it later; where a statement stores it, that statement is looked
at instead.
"""

from ..rule import Rule

RULE = Rule("BD305", "update-to-a-copy", "error", __doc__ or "")
