"""The units of a layer are alike and stay alike.

What was measured: the weights into and out of all units are bitwise equal at the start and after the updates (or all weights are zero and
stay zero).

Why it is wrong: equal units get equal gradients: the layer learns as if it had one unit.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))
W1, b1, W2 = np.full((3, 4), 0.5), np.zeros(4), np.full((4, 1), 0.5)

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

Look-alikes and limits: biases that start at zero, and one matrix of zeros among random ones, are fine.
"""

from ..rule import Rule

RULE = Rule("BD317", "units-in-lockstep", "error", __doc__ or "")
