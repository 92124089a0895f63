"""A parameter holds no floating-point numbers.

What was measured: the type of its elements.

Why it is wrong: an integer cannot take a small step: `W -= 0.1 * dW` raises, or the step is cut to zero. An array of
Python objects (rows of different length) is no tensor at all.

Failing:

```python
import numpy as np

import backpropdoctor as bd

rng = np.random.default_rng(0)
X, y = rng.standard_normal((8, 3)), rng.standard_normal(8)
params = {"w": np.array([1, 2, 3]), "b": 0.5}


def loss(p):
    return np.mean((X @ p["w"] + p["b"] - y) ** 2)


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
params = {"w": np.array([1.0, 2.0, 3.0]), "b": 0.5}


def loss(p):
    return np.mean((X @ p["w"] + p["b"] - y) ** 2)


def gradient(p):
    d = 2 * (X @ p["w"] + p["b"] - y) / len(y)
    return {"dw": X.T @ d, "db": d.sum()}


report = bd.check_gradient(loss, gradient, params)
```

Look-alikes and limits: a plain Python int such as `b = 0` counts as a number, since `b -= 0.1 * db` makes it a float.
Integer inputs of a layer (labels, indices) are no parameters and are passed on as they are.
"""

from ..rule import Rule

RULE = Rule("BD407", "not-floating-point", "error", __doc__ or "")
