"""An exponential overflowed, and the infinity reached the loss or a parameter.

What was measured: the argument of `exp` against the largest one that is finite: 709.78 in float64, 88.72 in
float32, 11.09 in float16.

Why it is wrong: exp of anything above that is infinite, and the softmax of a row that holds an infinity is
inf/inf, NaN.

Failing:

```python
import numpy as np

w = np.array([1.0, 2.0])
for step in range(3):
    p = np.exp(1000 * w) / np.exp(1000 * w).sum()
    w -= 0.1 * p
```

Fixed:

```python
import numpy as np

w = np.array([1.0, 2.0])
for step in range(3):
    z = 1000 * w
    p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    w -= 0.1 * p
```

Look-alikes and limits: `1 / (1 + np.exp(-z))` overflows for very negative z and is right all the same: 1/inf is 0.
That is a note (BD209).
"""

from ..rule import Rule

RULE = Rule("BD203", "exp-overflow", "error", __doc__ or "")
