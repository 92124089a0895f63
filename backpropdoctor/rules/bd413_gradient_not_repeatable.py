"""The gradient function gives another value at the second call.

What was measured: the gradient, computed twice at the same parameters.

Why it is wrong: a gradient that is added to a buffer which nobody clears grows with every call (after n steps it is
the sum of n gradients); one that differs at random cannot be checked.

Failing:

```python
import numpy as np

import backpropdoctor as bd

rng = np.random.default_rng(0)
X, y = rng.standard_normal((8, 3)), rng.standard_normal(8)
params = {"w": rng.standard_normal(3), "b": 0.5}


def loss(p):
    return np.mean((X @ p["w"] + p["b"] - y) ** 2)


dw = np.zeros(3)


def gradient(p):
    d = 2 * (X @ p["w"] + p["b"] - y) / len(y)
    dw[:] += X.T @ d
    return {"dw": dw.copy(), "db": d.sum()}


report = bd.check_gradient(loss, gradient, params)
```

Fixed:

```python
import numpy as np

import backpropdoctor as bd

rng = np.random.default_rng(0)
X, y = rng.standard_normal((8, 3)), rng.standard_normal(8)
params = {"w": rng.standard_normal(3), "b": 0.5}


def loss(p):
    return np.mean((X @ p["w"] + p["b"] - y) ** 2)


def gradient(p):
    d = 2 * (X @ p["w"] + p["b"] - y) / len(y)
    return {"dw": X.T @ d, "db": d.sum()}


report = bd.check_gradient(loss, gradient, params)
```

Look-alikes and limits: adding up is a way to work, as long as the buffer is cleared before each step; the first call
is what was checked. Objects with a backward pass start from cleared gradients, so there it is not reported.
"""

from ..rule import Rule

RULE = Rule("BD413", "gradient-not-repeatable", "warning", __doc__ or "")
