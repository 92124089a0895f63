"""A product, a sum or a cast exceeded the largest number of its type, and the infinity reached the loss or a
parameter.

What was measured: the operands, the type and its largest number, and the history of the loss and the parameters
before it.

Why it is wrong: float16 ends at 65504, float32 at 3.4e38, float64 at 1.8e308. A training run only gets there when
it diverges (the step is too large) or when the type is too small for a sum.

Failing:

```python
import numpy as np

w = np.array([1.0, 2.0])
for step in range(2000):
    w -= 3.0 * w * 2
```

Fixed:

```python
import numpy as np

w = np.array([1.0, 2.0])
for step in range(2000):
    w -= 0.3 * w * 2
```

Look-alikes and limits: The place of the overflow is where the growth ended, not where it came from: look at the
history in the finding first.
"""

from ..rule import Rule

RULE = Rule("BD204", "overflow", "error", __doc__ or "")
