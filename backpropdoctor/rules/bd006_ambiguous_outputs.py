"""Nothing tells how the backward pass is to be called.

What was measured: the names of the arguments of the backward pass, and what the forward pass returned.

Why it is wrong: a cache handed over as a gradient, or the other way round, would make a right backward pass look
wrong.

Failing:

```python
import numpy as np

import backpropdoctor as bd

x = np.linspace(-1, 1, 6)


def forward(x):
    return np.tanh(x)


def backward(dout, thing, other):
    return dout * (1 - thing**2)


report = bd.check_layer(forward, backward, x)
```

Fixed:

```python
import numpy as np

import backpropdoctor as bd

x = np.linspace(-1, 1, 6)


def forward(x):
    y = np.tanh(x)
    return y, y


def backward(dout, cache):
    return dout * (1 - cache**2)


report = bd.check_layer(forward, backward, x)
```

Look-alikes and limits: arguments called `dout`, `grad`, `dZ`, `delta` and the like receive the gradient of an output,
`cache` and `memory` what the forward pass returned besides, `lr` a learning rate; an argument named like one of the
forward pass's inputs or returned variables receives that.
"""

from ..rule import Rule

RULE = Rule("BD006", "ambiguous-outputs", "warning", __doc__ or "")
