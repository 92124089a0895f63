"""The gradient is not the derivative, and no single factor explains it.

What was measured: the slope of the loss (or of <v, output> for a layer) along a random direction, with an error bar,
and the slope that the gradient predicts; then which rows, columns or elements are wrong.

Why it is wrong: a step along this gradient is not the step of steepest descent, and training may stall or settle in
the wrong place although the loss still falls.

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
    return {"dw": X.T @ d**2, "db": d.sum()}


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

Look-alikes and limits: a factor shared by the whole tensor is BD102; a kink or a noisy loss leaves a tensor undecided
(BD902, BD903) and makes no accusation. What the finding says of a part ('row 3') holds for the point that was
checked.
"""

from ..rule import Rule

RULE = Rule("BD101", "unexplained-gradient", "error", __doc__ or "")
