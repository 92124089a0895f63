"""Nothing is non-finite yet, but an argument grows towards the end of its range.

What was measured: the largest argument of `exp`, the smallest of `log`, and how many outputs of a sigmoid or
softmax are exactly 0 or 1, step by step; a straight line through the last steps says when the limit is met.

Why it is worth knowing: the step before the first NaN looks healthy in every loss curve.

Failing:

```python
import numpy as np

w = np.array([1.0])
for step in range(12):
    loss = np.exp(w).sum()
    dw = -50.0 * np.ones(1)
    w -= dw
```

Fixed:

```python
import numpy as np

w = np.array([1.0])
for step in range(12):
    loss = np.exp(w).sum()
    dw = -0.5 * np.ones(1)
    w -= dw
```

Look-alikes and limits: The forecast assumes that the growth goes on as in the last steps. It is advice, not a
fault.
"""

from ..rule import Rule

RULE = Rule("BD210", "near-overflow", "warning", __doc__ or "")
