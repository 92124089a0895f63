"""Infinities that were there on purpose met in a way that has no value, and the NaN reached the loss or a parameter.

What was measured: the operands at the element where the NaN was born: inf - inf, inf times 0, inf over inf.

Why it is wrong: a mask of -inf is right as long as every row keeps one finite element; a row of nothing but -inf
less its own maximum is -inf + inf.

Failing:

```python
import numpy as np

w = np.ones(2)
mask = np.array([-np.inf, -np.inf])
for step in range(3):
    z = w + mask
    e = np.exp(z - z.max())
    w -= 0.1 * e / e.sum()
```

Fixed:

```python
import numpy as np

w = np.ones(2)
mask = np.array([0.0, -np.inf])
for step in range(3):
    z = w + mask
    e = np.exp(z - z.max())
    w -= 0.1 * e / e.sum()
```

Look-alikes and limits: If the infinity itself was born in the run, the finding stands at its birth, and the
indeterminate form is a link of the chain.
"""

from ..rule import Rule

RULE = Rule("BD206", "indeterminate-form", "error", __doc__ or "")
