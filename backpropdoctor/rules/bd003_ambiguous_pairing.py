"""Nothing tells which gradient belongs to which parameter.

What was measured: the number and the shapes of what the gradient function returned, held against the parameters.

Why it is wrong: a guessed pairing could blame a right gradient or pass a wrong one, so nothing is paired.

Failing:

```python
import numpy as np

import backpropdoctor as bd

params = {"u": np.array([1.0, 2.0]), "v": np.array([3.0, 4.0])}


def loss(p):
    return np.sum(p["u"] ** 2 * p["v"])


def gradient(p):
    return 2 * p["u"] * p["v"], p["u"] ** 2


report = bd.check_gradient(loss, gradient, params)
```

Fixed:

```python
import numpy as np

import backpropdoctor as bd

params = {"u": np.array([1.0, 2.0]), "v": np.array([3.0, 4.0])}


def loss(p):
    return np.sum(p["u"] ** 2 * p["v"])


def gradient(p):
    return {"du": 2 * p["u"] * p["v"], "dv": p["u"] ** 2}


report = bd.check_gradient(loss, gradient, params)
```

Look-alikes and limits: a tuple of gradients for a tuple or a list of parameters is paired by position; for a dict it
is paired only where every shape occurs once.
"""

from ..rule import Rule

RULE = Rule("BD003", "ambiguous-pairing", "warning", __doc__ or "")
