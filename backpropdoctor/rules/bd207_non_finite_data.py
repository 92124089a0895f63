"""The data, or a number written in the program, is NaN or infinite, and it reached the loss or a parameter.

What was measured: the first array that held a non-finite value before any operation made one, and the index of
that value.

Why it is wrong: one NaN in one feature of one sample makes every parameter NaN after one step of full-batch
training.

Failing:

```python
import numpy as np

x = np.array([[1.0, 2.0], [np.nan, 1.0]])
w = np.ones(2)
for step in range(3):
    w -= 0.1 * (x @ w) @ x
```

Fixed:

```python
import numpy as np

x = np.array([[1.0, 2.0], [np.nan, 1.0]])
x = x[np.isfinite(x).all(axis=1)]
w = np.ones(2)
for step in range(3):
    w -= 0.1 * (x @ w) @ x
```

Look-alikes and limits: A mask of -inf, or NaN that a `where` sorts out, is no fault and gives no finding.
"""

from ..rule import Rule

RULE = Rule("BD207", "non-finite-data", "error", __doc__ or "")
