"""A logarithm was taken of zero or of a negative number, and the result reached the loss or a parameter.

What was measured: the argument of `log` at the place where the first non-finite value was born, and the statements
through which it travelled from there. Every operation before it had finite operands and a finite result.

Why it is wrong: log(0) is -inf and log of a negative number is NaN. Times zero, or minus another infinity, an
infinity becomes NaN too, and a parameter that is NaN once stays NaN.

Failing:

```python
import numpy as np

y = np.array([1.0, 0.0])
w = np.array([400.0, -400.0])
for step in range(3):
    p = 1 / (1 + np.exp(-w))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
```

Fixed:

```python
import numpy as np

y = np.array([1.0, 0.0])
w = np.array([400.0, -400.0])
for step in range(3):
    loss = np.mean(np.maximum(w, 0) - w * y + np.log1p(np.exp(-np.abs(w))))
```

Look-alikes and limits: An epsilon inside the log keeps the run alive, but it changes the gradient wherever the
argument is of its size; prefer the form that works on the logits. `np.where(x > 0, np.log(x), 0)` computes log(0)
as well and throws it away: that is harmless and only a note (BD209).
"""

from ..rule import Rule

RULE = Rule("BD201", "non-finite-log", "error", __doc__ or "")
