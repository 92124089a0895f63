"""A non-finite value was replaced by a finite number and went on into the loss or the parameters.

What was measured: the operation that gave the non-finite value, and the call that replaced it (`nan_to_num`).

Why it is worth knowing: the number that takes its place is not the value of the formula, nor is its gradient; the
run goes on with a wrong step instead of stopping.

Failing:

```python
import numpy as np

p = np.array([0.5, 0.0])
w = np.ones(2)
for step in range(3):
    w -= 0.1 * np.nan_to_num(1 / p)
```

Fixed:

```python
import numpy as np

p = np.array([0.5, 1e-3])
w = np.ones(2)
for step in range(3):
    w -= 0.1 * np.nan_to_num(1 / p)
```

Look-alikes and limits: Where the hidden value is multiplied by zero afterwards the replacement is harmless.
"""

from ..rule import Rule

RULE = Rule("BD208", "hidden-non-finite", "warning", __doc__ or "")
