"""The backward pass or the gradient function raised an exception.

What was measured: the exception, and the deepest line of your own code that it passed.

Why it is wrong: the gradient could not be computed, so nothing about it is known.

Failing:

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
    return {"dw": X @ d, "db": d.sum()}


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

Look-alikes and limits: a backward pass that needs the state of a forward pass gets it: the forward pass runs first,
on the same object.
"""

from ..rule import Rule

RULE = Rule("BD402", "backward-raises", "error", __doc__ or "")
