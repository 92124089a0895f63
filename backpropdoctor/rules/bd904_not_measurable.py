"""The slope could not be measured.

What was measured: the loss near the point: it is not finite there, or the code raises.

Why it is wrong: an undecided gradient is no pass.

Failing:

```python
import numpy as np

import backpropdoctor as bd

def loss(w):
    if np.any(np.real(w) != 1.0):
        raise ValueError("only at one")
    return np.sum(w**2)


report = bd.check_gradient(loss, lambda w: 2 * w, np.ones(3))
```

Fixed:

```python
import numpy as np

import backpropdoctor as bd

def loss(w):
    return np.sum(w**2)


report = bd.check_gradient(loss, lambda w: 2 * w, np.ones(3))
```

Look-alikes and limits: steps are about 1e-5 and less of a parameter's size: a domain that ends right at the point is
the usual cause.
"""

from ..rule import Rule

RULE = Rule("BD904", "not-measurable", "warning", __doc__ or "")
