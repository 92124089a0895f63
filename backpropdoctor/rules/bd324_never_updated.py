"""A parameter never changes.

What was measured: it is bitwise the same at the end of the watch as at the start, although its gradient, if one was handed over, is not
zero.

Why it is wrong: the update is not run, or works on something else. The source around the watch did not show which.

Failing:

```python
import numpy as np

import backpropdoctor as bd

w, v = np.ones(3), np.ones(2)
with bd.watch_updates({"w": w, "v": v}) as watch:
    for step in range(5):
        g = {"w": w.copy(), "v": v.copy()}
        w -= 0.1 * g["w"]
        watch.step(grads=g)
```

Fixed:

```python
import numpy as np

import backpropdoctor as bd

w, v = np.ones(3), np.ones(2)
with bd.watch_updates({"w": w, "v": v}) as watch:
    for step in range(5):
        g = {"w": w.copy(), "v": v.copy()}
        w -= 0.1 * g["w"]
        v -= 0.1 * g["v"]
        watch.step(grads=g)
```

In a script: the loss depends on the value, its gradient is computed and right, no update reads that, and values of the same kind
(read by the same expression, held in the same list, named alike) are updated. The place is the loop, the condition, the list or
the statement that leaves it out. Where a statement gives the parameter to itself, `W = W`, it is that one. A training whose loop has no
update at all, and the same loss in every round, is a warning: the script may only look at gradients.

Look-alikes and limits: parameters that are not trained are named in `expect_frozen=`; a script that speaks of freezing or
fine-tuning is believed. The gradient of the data (`dX`) is used by nothing either, and data are no siblings of parameters.
"""

from ..rule import Rule

RULE = Rule("BD324", "never-updated", "error", __doc__ or "")
