"""The module raised an exception when it was imported.

What was measured: the exception, and the deepest line of your own code that it passed.

Why it is wrong: nothing in the module can be checked before it can be imported.

Failing:

```python
import numpy as np


def affine_forward(x, w):
    return x @ w, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout


x = np.ones((2, 3))
w = np.ones(12).reshape(5, 2)
```

Fixed:

```python
import numpy as np


def affine_forward(x, w):
    return x @ w, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout


x = np.ones((2, 3))
w = np.ones(12).reshape(3, 4)
```

Look-alikes and limits: the module is imported under its own name from its own folder, as `import` does it; what
stands under `if __name__ == '__main__':` does not run.
"""

from ..rule import Rule

RULE = Rule("BD004", "module-raises", "error", __doc__ or "")
