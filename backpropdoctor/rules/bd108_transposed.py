"""A matrix is used the wrong way round.

What was measured: the gradient is right with the matrix transposed, or with the factors of the product exchanged. The
edit is tried on the recorded values, has to give the right gradients along directions that it was not found with, and
is then made in a copy of the program, which is checked again.

Why it is wrong: for `z = x @ W` the gradients are `dx = dz @ W.T` and `dW = x.T @ dz`. With a square matrix the
shapes fit either way, and nothing raises.

Failing:

```python
import numpy as np

rng = np.random.default_rng(0)
X = rng.standard_normal((20, 3))
y = X[:, :1] * X[:, 1:2]
params = {"W1": rng.standard_normal((3, 4)), "W2": rng.standard_normal((4, 4)), "W3": rng.standard_normal((4, 1))}

for step in range(50):
    cache = {"A0": X}
    cache["A1"] = np.tanh(cache["A0"] @ params["W1"])
    cache["A2"] = np.tanh(cache["A1"] @ params["W2"])
    out = cache["A2"] @ params["W3"]
    loss = np.mean((out - y) ** 2)

    grads = {}
    d_out = 2 * (out - y) / len(X)
    grads["W3"] = cache["A2"].T @ d_out
    d2 = d_out @ params["W3"].T * (1 - cache["A2"] ** 2)
    grads["W2"] = cache["A1"].T @ d2
    d1 = d2 @ params["W2"] * (1 - cache["A1"] ** 2)
    grads["W1"] = cache["A0"].T @ d1

    for name in params:
        params[name] -= 0.1 * grads[name]
```

Fixed:

```python
import numpy as np

rng = np.random.default_rng(0)
X = rng.standard_normal((20, 3))
y = X[:, :1] * X[:, 1:2]
params = {"W1": rng.standard_normal((3, 4)), "W2": rng.standard_normal((4, 4)), "W3": rng.standard_normal((4, 1))}

for step in range(50):
    cache = {"A0": X}
    cache["A1"] = np.tanh(cache["A0"] @ params["W1"])
    cache["A2"] = np.tanh(cache["A1"] @ params["W2"])
    out = cache["A2"] @ params["W3"]
    loss = np.mean((out - y) ** 2)

    grads = {}
    d_out = 2 * (out - y) / len(X)
    grads["W3"] = cache["A2"].T @ d_out
    d2 = d_out @ params["W3"].T * (1 - cache["A2"] ** 2)
    grads["W2"] = cache["A1"].T @ d2
    d1 = d2 @ params["W2"].T * (1 - cache["A1"] ** 2)
    grads["W1"] = cache["A0"].T @ d1

    for name in params:
        params[name] -= 0.1 * grads[name]
```

Look-alikes and limits: a product element by element is BD109. Where the shapes do not fit NumPy raises and there is
nothing to report here.
"""

from ..rule import Rule

RULE = Rule("BD108", "transposed", "error", __doc__ or "")
