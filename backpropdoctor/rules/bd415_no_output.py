"""The forward pass returned nothing that can be an output.

What was measured: what it returned.

Why it is wrong: without an array of floating-point numbers there is nothing to differentiate. A forgotten `return` is
the usual cause.

Failing:

```python
import numpy as np

import backpropdoctor as bd

x = np.random.default_rng(0).standard_normal((4, 3))


def forward(x):
    y = np.tanh(x), x


def backward(dout, cache):
    return dout * (1 - np.tanh(cache) ** 2)


report = bd.check_layer(forward, backward, x)
```

Fixed:

```python
import numpy as np

import backpropdoctor as bd

x = np.random.default_rng(0).standard_normal((4, 3))


def forward(x):
    return np.tanh(x), x


def backward(dout, cache):
    return dout * (1 - np.tanh(cache) ** 2)


report = bd.check_layer(forward, backward, x)
```

Look-alikes and limits: an object that returns None and keeps its result as `self.output` is understood.
"""

from ..rule import Rule

RULE = Rule("BD415", "no-output", "error", __doc__ or "")
