"""The steps are far larger or smaller than the weights.

What was measured: log10 of the median of |change| / |value| over the elements that changed.

Why it is wrong: it need not be: this is advice. About 10^-3 is common. A mean would say nothing: with softmax and cross-entropy the
mean of a gradient is zero.

Failing:

```python
import numpy as np

import backpropdoctor as bd

w = np.ones((3, 2))
with bd.watch_updates({"w": w}) as watch:
    for step in range(5):
        g = np.cos(step) * np.ones((3, 2))
        w *= -30
        watch.step(grads={"w": g})
```

Fixed:

```python
import numpy as np

import backpropdoctor as bd

w = np.ones((3, 2))
with bd.watch_updates({"w": w}) as watch:
    for step in range(5):
        g = w.copy()
        w -= 0.01 * g
        watch.step(grads={"w": g})
```

Look-alikes and limits: weights that start at zero have no ratio; only elements that were not zero count.
"""

from ..rule import Rule

RULE = Rule("BD326", "step-size", "note", __doc__ or "")
