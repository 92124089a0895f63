"""The forward pass is random.

What was measured: the output of two calls at the same values, and by how much they differ.

Why it is wrong: a difference between two points means nothing where two calls at one point differ. This is no fault
of the gradient; the verdict stays open.

Failing:

```python
import numpy as np

import backpropdoctor as bd

rng = np.random.default_rng(0)
X, y = rng.standard_normal((8, 3)), rng.standard_normal(8)
params = {"w": rng.standard_normal(3), "b": 0.5}


def loss(p):
    return rng.normal() + np.mean((X @ p["w"] + p["b"] - y) ** 2)


def gradient(p):
    d = 2 * (X @ p["w"] + p["b"] - y) / len(y)
    return {"dw": X.T @ d, "db": d.sum()}


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

Look-alikes and limits: the numbers of NumPy's and Python's global generators are held still for `bd.check_layer`, so
that a dropout layer is checked for one draw of its mask; the finding then says so, and the verdicts count. A
generator in an attribute is copied with its object.
"""

from ..rule import Rule

RULE = Rule("BD901", "random-forward", "warning", __doc__ or "")
