"""The script itself stops with an exception.

What was measured: what came before the exception is reported. The exit status is 3 where nothing is wrong in that.

Why it is wrong: a run that broke off says nothing about what comes after it, so it is no pass. The line is that of the
script at which the exception left it.

Failing:

```python
import numpy as np

X, y = np.ones((5, 3)), np.zeros(5)
w = np.ones((2, 1))
for step in range(10):
    loss = np.mean((X @ w - y) ** 2)
```

Fixed:

```python
import numpy as np

X, y = np.ones((5, 3)), np.zeros((5, 1))
w = np.ones((3, 1))
for step in range(10):
    loss = np.mean((X @ w - y) ** 2)
    dw = 2 * X.T @ (X @ w - y) / len(y)
    w -= 0.1 * dw
```

Look-alikes and limits: mend the exception first; often it is a shape, and printing the shapes of the operands on that
line shows which. `sys.exit` is no exception, and is respected. A script that waits for `input()` gets a refusal in its
place.
"""

from ..rule import Rule

RULE = Rule("BD023", "script-raises", "warning", __doc__ or "")
