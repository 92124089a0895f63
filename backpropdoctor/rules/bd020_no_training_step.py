"""# no-training-step

The script ran, and nothing in it changes a value by that value's own gradient, so there was no gradient to check.

## What was measured

Every operation of the recorded part was looked at: an update is a variable, a slot or an array that held `old` and then
holds `old` plus or minus something that itself depends on `old`. None was found, and no pair of names such as `W1` and
`dW1` either.

## A script of which this is said

```text
total = 0.0
for x in [1.0, 2.0, 3.0]:
    total += x
print(total)
```

## What to add

Train in the script, or name what it trains: `--params W1,b1 --loss cost`. A module of functions needs example inputs
instead (BD002).

## Look-alikes

An update that never runs is BD301 and its kin: there the parameters are known from the names of their gradients.

## Limits

Code that trains in a library, a subprocess or a thread is not seen.
"""

from ..rule import Rule

RULE = Rule("BD020", "no-training-step", "warning", __doc__ or "")
