"""No training step was recognised in the script.

What was measured: the script ran, and every operation of the recorded part was looked at. An update is a variable, a
slot or an array that held `old` and then holds `old` plus or minus something that itself depends on `old`. None was
found, and no pair of names such as `W1` and `dW1` either.

Why it is wrong: nothing in the script is changed by its own gradient, so there is no gradient to check, and a run that
checked nothing must not look like a pass.

Failing:

```python
total = 0.0
for x in [1.0, 2.0, 3.0]:
    total += x
print(total)
```

Fixed:

```python
w = 5.0
for step in range(10):
    loss = 0.0
    dw = 0.0
    for x in [1.0, 2.0, 3.0]:
        loss += (w - x) ** 2
        dw += 2 * (w - x)
    w -= 0.1 * dw
print(w)
```

Look-alikes and limits: where a script trains and it is not seen, name what it trains: `--params W1,b1 --loss cost`. An
update that never runs is BD301 and its kin: there the parameters are known from the names of their gradients. A module
of functions needs example inputs instead (BD002). Code that trains in a library, a subprocess or a thread is not seen.
"""

from ..rule import Rule

RULE = Rule("BD020", "no-training-step", "warning", __doc__ or "")
