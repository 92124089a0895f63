"""A loss or a parameter is NaN or infinite, and the operation that made it so could not be seen.

What was measured: the values at the end of a step. The operation ran where the tracer cannot look (a compiled
extension, a thread that was running before, a source that is not there), or a second run of the same program came
out differently.

Why it is wrong: training goes on with values that mean nothing.

Failing:

```python
import os
import numpy as np

w = np.ones(2)
for step in range(12000):
    g = np.full(2, 0.1)
    if int.from_bytes(os.urandom(2)) % 1500 == 0:
        g[0] = float("nan")
    w -= 0.001 * g
```

Fixed:

```python
import random
import numpy as np

random.seed(1)
w = np.ones(2)
for step in range(12000):
    g = np.full(2, 0.1)
    if random.random() < 0.0007:
        g[0] = 0.2
    w -= 0.001 * g
```

Look-alikes and limits: Seed every source of random numbers and run again: a step that can be repeated can be
searched.
"""

from ..rule import Rule

RULE = Rule("BD211", "unlocated-non-finite", "error", __doc__ or "")
