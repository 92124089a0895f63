"""The loss does not change with a parameter that has a gradient.

What was measured: the loss, bit by bit, with the parameter moved by its own size.

Why it is wrong: either the loss reads another variable than the one it is given, or the parameter is not used and its
gradient should be zero.

Failing:

```python
import numpy as np

import backpropdoctor as bd

w, v = np.array([1.0, 2.0]), np.array([3.0])
params = {"w": w, "v": v}


def loss(p):
    return np.sum(p["w"] ** 2) + np.sum(w)


def gradient(p):
    return {"w": 2 * p["w"], "v": p["v"]}


report = bd.check_gradient(loss, gradient, params)
```

Fixed:

```python
import numpy as np

import backpropdoctor as bd

params = {"w": np.array([1.0, 2.0]), "v": np.array([3.0])}


def loss(p):
    return np.sum(p["w"] ** 2) + np.sum(p["v"] ** 2) / 2


def gradient(p):
    return {"w": 2 * p["w"], "v": p["v"]}


report = bd.check_gradient(loss, gradient, params)
```

Look-alikes and limits: a loss that takes no argument, or ignores the one it is given and reads all parameters where
they stand, is found out and checked in place.
"""

from ..rule import Rule

RULE = Rule("BD414", "unread-parameter", "error", __doc__ or "")
