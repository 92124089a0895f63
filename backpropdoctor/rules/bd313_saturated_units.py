"""Units are saturated, so their weights get no gradient.

What was measured: all outputs are at the limits of the function (0 and 1, or -1 and 1), and the loss does not move with the
parameters before them; or the training stands still there, and smaller weights or inputs make the loss lower at once.

Why it is wrong: the slope of a sigmoid at 50 is below the smallest step of its output: the gradient is exactly zero.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W1, b1, W2 = rng.standard_normal((3, 4)), np.full(4, 60.0), rng.standard_normal((4, 1))

for step in range(20):
    z = X @ W1 + b1
    h = np.tanh(z)
    error = h @ W2 - Y
    loss = (error**2).mean()
    dout = 2 * error / error.size
    dW2 = h.T @ dout
    dz = dout @ W2.T * (1 - h**2)
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
    h = np.tanh(z)
    error = h @ W2 - Y
    loss = (error**2).mean()
    dout = 2 * error / error.size
    dW2 = h.T @ dout
    dz = dout @ W2.T * (1 - h**2)
    dW1, db1 = X.T @ dz, dz.sum(axis=0)
    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    W2 -= 0.1 * dW2
```

Look-alikes and limits: a unit near its limit still learns, slowly. A model that fits its data stands still too, and is right: smaller
weights make its loss higher.
"""

from ..rule import Rule

RULE = Rule("BD313", "saturated-units", "warning", __doc__ or "")
