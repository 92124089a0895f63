"""An index is off.

What was measured: the gradient is right with the index that `help` names: the layer before, the step after. The edit
is tried on the recorded values, has to give the right gradients along directions that it was not found with, and is
then made in a copy of the program, which is checked again.

Why it is wrong: activations are one more than weights, and a step of a recurrent net reads the state before it: an
index that fits the one list is one off for the other.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X = rng.standard_normal((5, 8, 2))
y = X.sum(axis=(0, 2))[:, None]
Wx, Wh = 0.5 * rng.standard_normal((2, 4)), 0.5 * rng.standard_normal((4, 4))
Wy = rng.standard_normal((4, 1))

for step in range(50):
    hs = [np.zeros((8, 4))]
    for t in range(5):
        hs.append(np.tanh(X[t] @ Wx + hs[t] @ Wh))
    out = hs[5] @ Wy
    loss = np.mean((out - y) ** 2)

    d_out = 2 * (out - y) / len(y)
    dWy = hs[5].T @ d_out
    dWx, dWh = np.zeros_like(Wx), np.zeros_like(Wh)
    dh = d_out @ Wy.T
    for t in reversed(range(5)):
        dz = dh * (1 - hs[t + 1] ** 2)
        dWx += X[t].T @ dz
        dWh += hs[t + 1].T @ dz
        dh = dz @ Wh.T

    Wx -= 0.05 * dWx
    Wh -= 0.05 * dWh
    Wy -= 0.05 * dWy
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
X = rng.standard_normal((5, 8, 2))
y = X.sum(axis=(0, 2))[:, None]
Wx, Wh = 0.5 * rng.standard_normal((2, 4)), 0.5 * rng.standard_normal((4, 4))
Wy = rng.standard_normal((4, 1))

for step in range(50):
    hs = [np.zeros((8, 4))]
    for t in range(5):
        hs.append(np.tanh(X[t] @ Wx + hs[t] @ Wh))
    out = hs[5] @ Wy
    loss = np.mean((out - y) ** 2)

    d_out = 2 * (out - y) / len(y)
    dWy = hs[5].T @ d_out
    dWx, dWh = np.zeros_like(Wx), np.zeros_like(Wh)
    dh = d_out @ Wy.T
    for t in reversed(range(5)):
        dz = dh * (1 - hs[t + 1] ** 2)
        dWx += X[t].T @ dz
        dWh += hs[t].T @ dz
        dh = dz @ Wh.T

    Wx -= 0.05 * dWx
    Wh -= 0.05 * dWh
    Wy -= 0.05 * dWy
```

Look-alikes and limits: an index inside the argument of a derivative is BD105; a key is BD114.
"""

from ..rule import Rule

RULE = Rule("BD113", "wrong-index", "error", __doc__ or "")
