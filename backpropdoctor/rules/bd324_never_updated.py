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

Look-alikes and limits: parameters that are not trained are named in `expect_frozen=`.
"""

from ..rule import Rule

RULE = Rule("BD324", "never-updated", "error", __doc__ or "")
