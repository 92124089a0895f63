"""The loss is not one number.

What was measured: the shape of what the loss function returned.

Why it is wrong: a gradient belongs to a single number. An array of losses has one for each of them, and summing
them without saying so hides whether the sum or the mean is meant.

Failing:

```python
import numpy as np

import backpropdoctor as bd

rng = np.random.default_rng(0)
X, y = rng.standard_normal((8, 3)), rng.standard_normal(8)
params = {"w": rng.standard_normal(3), "b": 0.5}


def loss(p):
    return ((X @ p["w"] + p["b"] - y) ** 2)


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

Look-alikes and limits: an array with a single element, of shape (1,) or (1, 1), counts as a number, and so does the
first value of `(loss, gradients)`. An output of any shape is checked by `bd.check_layer`.
"""

from ..rule import Rule

RULE = Rule("BD403", "loss-not-scalar", "error", __doc__ or "")
