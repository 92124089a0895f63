"""A forward or backward pass changes its input in place.

What was measured: the inputs, bit by bit, before and after the call, in a copy that the function was given. Yours
were not touched.

Why it is wrong: the caller, and any other layer that reads the same array, goes on with changed values; a cache of
the input holds the changed ones.

Failing:

```python
import numpy as np

import backpropdoctor as bd

x = np.random.default_rng(0).standard_normal((4, 3))


def forward(x):
    x *= 0.5
    return np.tanh(x), x.copy()


def backward(dout, cache):
    return 0.5 * dout * (1 - np.tanh(cache) ** 2)


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

Look-alikes and limits: a backward pass that writes into the gradient it receives (`dout[x <= 0] = 0`) is a note only:
it does harm where that gradient is used twice.
"""

from ..rule import Rule

RULE = Rule("BD411", "changes-inputs", "error", __doc__ or "")
