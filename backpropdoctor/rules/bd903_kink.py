"""The loss has a kink at this very point.

What was measured: the slopes on both sides of the point.

Why it is wrong: where the slopes differ there is no gradient, only subgradients, and finite differences take neither.
It is no accusation; a moved point is tried as well where the gradient can be computed there.

Failing:

```python
import numpy as np

import backpropdoctor as bd

class Relu:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, g):
        return g * (self.x >= 0)


def loss(p, y):
    return np.sum((p - y) ** 2), 2 * (p - y)


x, y = np.zeros(4), np.ones(4)
report = bd.check([Relu()], x, y, loss=loss)
```

Fixed:

```python
import numpy as np

import backpropdoctor as bd

class Relu:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, g):
        return g * (self.x >= 0)


def loss(p, y):
    return np.sum((p - y) ** 2), 2 * (p - y)


x, y = np.array([0.5, -1.0, 2.0, -0.3]), np.ones(4)
report = bd.check([Relu()], x, y, loss=loss)
```

Look-alikes and limits: a ReLU at exactly 0 is common where weights start at zero: check at random weights.
"""

from ..rule import Rule

RULE = Rule("BD903", "kink", "warning", __doc__ or "")
