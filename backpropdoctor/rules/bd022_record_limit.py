"""# record-limit

The first training steps hold more operations or more data than one record keeps, so recording stopped before a whole
step was seen, and nothing could be measured.

## Why

A record keeps every value of the recorded steps, so that each can be replaced and all that follows replayed. It is bounded:
400,000 operations and 2 GiB of values. A loop in pure Python over every sample and every weight reaches the first bound.

## What to do

Give the script fewer samples or smaller layers for the check: the gradient is wrong or right at any size.

## Limits

The bound is per record, not per step: three steps are recorded where they fit.
"""

from ..rule import Rule

RULE = Rule("BD022", "record-limit", "warning", __doc__ or "")
