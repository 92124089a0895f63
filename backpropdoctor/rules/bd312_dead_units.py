"""Units are never active, so their weights get no gradient.

What was measured: the result of the rectifier is 0 for every sample of all recorded steps, from inputs that are never above 0.

Why it is wrong: a ReLU that is always off passes no gradient: the weights before it are stuck.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W1, b1, W2 = rng.standard_normal((3, 4)), np.full(4, -50.0), rng.standard_normal((4, 1))

for step in range(20):
    z = X @ W1 + b1
    h = np.maximum(z, 0)
    error = h @ W2 - Y
    loss = (error**2).mean()
    dout = 2 * error / error.size
    dW2 = h.T @ dout
    dz = dout @ W2.T * (z > 0)
    dW1, db1 = X.T @ dz, dz.sum(axis=0)
    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    W2 -= 0.1 * dW2
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W1, b1, W2 = rng.standard_normal((3, 4)), np.zeros(4), rng.standard_normal((4, 1))

for step in range(20):
    z = X @ W1 + b1
    h = np.maximum(z, 0)
    error = h @ W2 - Y
    loss = (error**2).mean()
    dout = 2 * error / error.size
    dW2 = h.T @ dout
    dz = dout @ W2.T * (z > 0)
    dW1, db1 = X.T @ dz, dz.sum(axis=0)
    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    W2 -= 0.1 * dW2
```

Look-alikes and limits: some dead units are common in runs that learn: below half of a layer nothing is said.
"""

from ..rule import Rule

RULE = Rule("BD312", "dead-units", "warning", __doc__ or "")
