"""The loss is too noisy to tell whether the gradient is right.

What was measured: the noise of the loss (ECnoise, Moré and Wild 2011) and the error bar that follows from it.

Why it is wrong: an undecided gradient is no pass. A loss computed in float16, rounded, or summed with heavy
cancellation cannot show its own slope.

Failing:

```python
import numpy as np

import backpropdoctor as bd

rng = np.random.default_rng(0)
X, y = rng.standard_normal((8, 3)), rng.standard_normal(8)
params = {"w": rng.standard_normal(3), "b": 0.5}


def loss(p):
    return np.round(np.mean((X @ p["w"] + p["b"] - y) ** 2), 2)


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

Look-alikes and limits: a loss in float32 with a sound gradient is usually decided: the code runs in float64 for the
reference where it takes float64 parameters.
"""

from ..rule import Rule

RULE = Rule("BD902", "noisy-loss", "warning", __doc__ or "")
