"""A forward and a backward pass were recognised, and there is nothing to call them with.

What was measured: the names in the module: the forward pass needs arguments that no variable of the module is called
like.

Why it is wrong: without inputs neither pass can run. Inputs are not invented: a shape that does not fit would be
reported as a fault of yours.

Failing:

```python
import numpy as np


def affine_forward(x, w):
    return x @ w, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout
```

Fixed:

```python
import numpy as np


def affine_forward(x, w):
    return x @ w, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout


x = np.linspace(-1, 1, 6).reshape(2, 3)
w = np.linspace(0, 2, 12).reshape(3, 4)
```

Look-alikes and limits: several layers can share `x`. Where they need different inputs, write `example_inputs =
{'affine': (x, w)}`, or a function with `@bd.case`. A class needs an instance in the module, unless it can be made
without arguments.
"""

from ..rule import Rule

RULE = Rule("BD002", "no-example-inputs", "warning", __doc__ or "")
