"""A division by zero gave an infinity or NaN that reached the loss or a parameter.

What was measured: numerator and denominator at the element where the first non-finite value was born, which
variable holds the zero, and the statements through which the value travelled.

Why it is wrong: x/0 is infinite and 0/0 is NaN. The usual source is a saturated sigmoid or softmax whose output is
exactly 1 or 0 in floating point, a standard deviation of constant data, or the mean of nothing.

Failing:

```python
import numpy as np

a = np.array([0.25, 1.0])
w = np.ones(2)
for step in range(3):
    dA = 1 / (1 - a)
    w -= 0.1 * dA * a * (1 - a)
```

Fixed:

```python
import numpy as np

a = np.array([0.25, 1.0])
w = np.ones(2)
for step in range(3):
    dZ = a
    w -= 0.1 * dZ
```

Look-alikes and limits: With a sigmoid and cross-entropy the two factors cancel on paper: `A - Y` needs no
division. A small number added to the denominator removes the infinity and leaves a slightly wrong gradient.
"""

from ..rule import Rule

RULE = Rule("BD202", "division-by-zero", "error", __doc__ or "")
