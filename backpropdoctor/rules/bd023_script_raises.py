"""# script-raises

The script itself stops with an exception. What was measured up to there is reported; exit status 3 where nothing else is
wrong.

## Why it is said

A run that broke off says nothing about what comes after it. The traceback is the script's own, with its own lines.

## A script of which this is said

```text
import numpy as np
W = np.ones((3, 2))
x = np.ones(3)
print(W @ x)
```

## What to do

Mend the exception first. Often it is a shape: print the shapes of the operands on that line.

## Limits

`sys.exit` is no exception, and is respected. A script that waits for `input()` gets a refusal in its place.
"""

from ..rule import Rule

RULE = Rule("BD023", "script-raises", "warning", __doc__ or "")
