"""What a declared case returned is nothing that can be checked.

What was measured: nothing: the case ran, and its result is no report and no set of arguments for `bd.check`.

Why it is wrong: a case that checks nothing is no pass.

Failing:

```python
import numpy as np

import backpropdoctor as bd


@bd.case
def square():
    return 3.0
```

Fixed:

```python
import numpy as np

import backpropdoctor as bd


@bd.case
def square():
    return bd.check_gradient(lambda w: w**2, lambda w: 2 * w, 3.0)
```

Look-alikes and limits: a case may return a report, or the arguments of `bd.check` as a tuple: `(layer, x)`,
`(forward, backward, x)`, `(loss, gradient, params)`.
"""

from ..rule import Rule

RULE = Rule("BD005", "case-not-checkable", "warning", __doc__ or "")
