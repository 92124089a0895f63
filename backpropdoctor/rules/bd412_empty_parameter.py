"""A parameter has no elements.

What was measured: its shape, in which one size is 0.

Why it is wrong: there is nothing to train in it, and a check that passes says nothing.

Failing:

```python
import numpy as np

import backpropdoctor as bd

rng = np.random.default_rng(0)
X, y = rng.standard_normal((8, 3)), rng.standard_normal(8)
params = {"w": rng.standard_normal(3), "b": 0.5, "c": np.zeros((0, 3))}


def loss(p):
    return np.mean((X @ p["w"] + p["b"] - y) ** 2)


def gradient(p):
    d = 2 * (X @ p["w"] + p["b"] - y) / len(y)
    return {"dw": X.T @ d, "db": d.sum(), "dc": np.zeros((0, 3))}


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

Look-alikes and limits: the other parameters are checked as usual.
"""

from ..rule import Rule

RULE = Rule("BD412", "empty-parameter", "warning", __doc__ or "")
