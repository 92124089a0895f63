"""A gradient is exactly zero in every step.

What was measured: all elements are zero in all steps looked at, at least three.

Why it is wrong: the backward pass has no term for it, the parameter is not used, or its units are dead. Which of these it is shows when
the loss can be evaluated: hand over `loss=` as a function of no arguments.

Failing:

```python
import numpy as np

import backpropdoctor as bd

w, v = np.ones(3), np.ones(2)
with bd.watch_updates({"w": w, "v": v}) as watch:
    for step in range(5):
        g = {"w": w.copy(), "v": np.zeros(2)}
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

Look-alikes and limits: a gate that starts at zero makes the first gradients zero, not the later ones.
"""

from ..rule import Rule

RULE = Rule("BD325", "zero-gradient", "warning", __doc__ or "")
