"""A non-finite value was made, but it reached neither the loss nor a parameter.

What was measured: the value was followed through every operation that read it, and everything that trains stayed
finite.

Why it is only a note: `np.where(x > 0, np.log(x), 0)` computes both branches, and `1 / (1 + np.exp(-z))` is right
for any z.

Failing:

```python
import numpy as np

x = np.array([0.0, 2.0])
w = np.ones(2)
for step in range(3):
    w -= 0.1 * np.where(x > 0, np.log(x), 0)
```

Fixed:

```python
import numpy as np

x = np.array([0.0, 2.0])
w = np.ones(2)
for step in range(3):
    w -= 0.1 * np.log(x, out=np.zeros(2), where=x > 0)
```

Look-alikes and limits: The gradient of such a `where`, taken by hand, may well contain 0 times infinity: there it
is no note any more.
"""

from ..rule import Rule

RULE = Rule("BD209", "contained-non-finite", "note", __doc__ or "")
