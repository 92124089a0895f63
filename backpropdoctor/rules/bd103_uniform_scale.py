"""All gradients are the true ones times one factor.

What was measured: the same factor in every tensor, confirmed on directions that it was not taken from.

Why it is wrong: the direction is right, so training works; but the step is that factor times what the learning rate
says, and it changes with the batch size where the factor is the number of samples. Where the loss and its gradient
are given as two functions, the second is not the gradient of the first, so there it counts as an error; in a training
script it is a warning, unless the script turns non-finite and stays finite without that factor: that is tried.

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
    d = (X @ p["w"] + p["b"] - y) / len(y)
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

Look-alikes and limits: a loss with 1/2 whose gradient drops it, a sum against a mean. A factor that only some tensors
have is BD102.
"""

from ..rule import Rule

RULE = Rule("BD103", "uniform-scale", "warning", __doc__ or "")
