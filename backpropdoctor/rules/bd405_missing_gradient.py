"""A parameter has no gradient.

What was measured: the names in what the gradient function returned, held against those of the parameters.

Why it is wrong: a parameter without a gradient is never trained. A misspelt key is the usual cause; the nearest
unused name is shown.

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
    return {"dw": X.T @ d, "dbb": d.sum()}


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

Look-alikes and limits: `dW1`, `grad_W1`, `W1_grad`, `nabla_w`, and `W1` itself in a dictionary of gradients are all
understood as the gradient of `W1`. Pass only what is meant to be trained.
"""

from ..rule import Rule

RULE = Rule("BD405", "missing-gradient", "error", __doc__ or "")
