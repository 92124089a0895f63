"""A function was given an argument outside its domain, and the NaN reached the loss or a parameter.

What was measured: the argument at the element where the NaN was born: the root of a negative number, arcsin or
arccos outside [-1, 1], a negative number to a fractional power.

Why it is wrong: there is no real result, and NaN spreads to everything computed from it.

Failing:

```python
import numpy as np

w = np.array([1.0, 2.0])
variance = np.array([4.0, -1e-17])
for step in range(3):
    w -= 0.1 / np.sqrt(variance)
```

Fixed:

```python
import numpy as np

w = np.array([1.0, 2.0])
variance = np.array([4.0, -1e-17])
for step in range(3):
    w -= 0.1 / np.sqrt(np.maximum(variance, 0) + 1e-8)
```

Look-alikes and limits: A variance computed as mean(x**2) - mean(x)**2 can be slightly negative by rounding;
compute it from the deviations.
"""

from ..rule import Rule

RULE = Rule("BD205", "outside-domain", "error", __doc__ or "")
