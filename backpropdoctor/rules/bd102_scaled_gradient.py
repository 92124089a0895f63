"""The gradient of some tensors is the true one times a factor.

What was measured: the factor, taken from one random direction and confirmed on another one that it was not taken
from.

Why it is wrong: these tensors learn at another rate than the rest. A forgotten 1/m, a 1/2 or a 2 too many, or a sum
where the others have a mean are the usual causes.

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
    return {"dw": 0.5 * X.T @ d, "db": d.sum()}


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

Look-alikes and limits: one factor for all tensors is BD103. The factor -1 is a sign: the step goes uphill.
"""

from ..rule import Rule

RULE = Rule("BD102", "scaled-gradient", "error", __doc__ or "")
