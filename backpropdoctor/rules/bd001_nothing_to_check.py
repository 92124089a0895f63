"""Nothing that could be checked was found.

What was measured: nothing: no parameter, no gradient, no forward pass with a backward pass.

Why it is wrong: a check of nothing is no pass, so the run counts as incomplete.

Failing:

```python
import numpy as np

import backpropdoctor as bd

report = bd.check_gradient(lambda p: 0.0, lambda p: {}, {})
```

Fixed:

```python
import numpy as np

import backpropdoctor as bd

w = np.array([1.0, 2.0])
report = bd.check_gradient(lambda w: np.sum(w**2), lambda w: 2 * w, w)
```

Look-alikes and limits: a module is looked through for functions marked `@bd.case`, for pairs such as `affine_forward`
and `affine_backward` or `sigmoid` and `sigmoid_prime`, and for classes with `forward` and `backward`. Functions with
other names need a case.
"""

from ..rule import Rule

RULE = Rule("BD001", "nothing-to-check", "warning", __doc__ or "")
