"""A function changes its parameters in place.

What was measured: the parameters, bit by bit, before and after the call, in a copy that the function was given. Yours
were not touched.

Why it is wrong: a loss that changes what it measures gives another value each time; a gradient function that does is
an update in disguise, and everything computed after it uses other weights.

Failing:

```python
import numpy as np

import backpropdoctor as bd

rng = np.random.default_rng(0)
X, y = rng.standard_normal((8, 3)), rng.standard_normal(8)
params = {"w": rng.standard_normal(3), "b": 0.5}


def loss(p):
    error = X @ p["w"] + p["b"] - y
    p["w"] *= 0.999
    return np.mean(error**2)


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

Look-alikes and limits: an object whose backward pass takes a learning rate and updates its own weights does so on
purpose: its gradients are read off the update, and this is not reported.
"""

from ..rule import Rule

RULE = Rule("BD410", "changes-parameters", "error", __doc__ or "")
