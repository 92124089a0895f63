"""Programs in further styles (optimiser classes, look-up tables, target networks): dead updates and look-alikes."""

from __future__ import annotations

import contextlib
import io

import pytest

from backpropdoctor.scripts import check_script

# name -> (code, program with the line marked)
DEAD: dict[str, tuple[str, str]] = {}
HEALTHY: dict[str, str] = {}

DEAD["copy optimiser"] = (
    "BD305",
    """from dataclasses import dataclass, field
import numpy as np

@dataclass
class Dense:
    w: np.ndarray
    b: np.ndarray
    dw: np.ndarray = None
    db: np.ndarray = None

    def __call__(self, x):
        self.x = x
        return x @ self.w + self.b

    def back(self, g):
        self.dw = self.x.T @ g
        self.db = g.sum(0)
        return g @ self.w.T

class SGD:
    def __init__(self, arrays, lr):
        self.arrays = [a.copy() for a in arrays]
        self.lr = lr

    def step(self, grads):
        for a, g in zip(self.arrays, grads):
            a -= self.lr * g  # <-

rng = np.random.default_rng(0)
x = rng.normal(size=(32, 3))
y = x @ np.array([[1.0], [-2.0], [0.5]]) + 0.3
net = [Dense(rng.normal(size=(3, 6)) * 0.4, np.zeros(6)), Dense(rng.normal(size=(6, 1)) * 0.4, np.zeros(1))]
opt = SGD([net[0].w, net[0].b, net[1].w, net[1].b], 0.1)
for epoch in range(50):
    h = np.tanh(net[0](x))
    out = net[1](h)
    loss = np.mean((out - y) ** 2)
    g = 2 * (out - y) / len(x)
    g = net[1].back(g) * (1 - h ** 2)
    net[0].back(g)
    opt.step([net[0].dw, net[0].db, net[1].dw, net[1].db])
""",
)

DEAD["branch never"] = (
    "BD302",
    """import numpy as np

rng = np.random.RandomState(8)
features = rng.rand(60, 4)
target = (features.sum(1) > 2).astype(float)
theta = np.zeros(4)
bias = 0.0
velocity = np.zeros(4)
for it in range(200):
    p = 1 / (1 + np.exp(-(features @ theta + bias)))
    cost = -np.mean(target * np.log(p) + (1 - target) * np.log(1 - p))
    grad_theta = features.T @ (p - target) / 60
    grad_bias = np.mean(p - target)
    if it % 10 == 10:  # <-
        theta = theta - 0.5 * grad_theta
        bias = bias - 0.5 * grad_bias
print(cost)
""",
)

DEAD["lr int zero"] = (
    "BD307",
    """import numpy as np

rng = np.random.default_rng(12)
x = rng.uniform(-1, 1, (50, 2))
y = np.where(x[:, 0] * x[:, 1] > 0, 1.0, -1.0)
W = rng.normal(0, 0.7, (2, 8))
V = rng.normal(0, 0.7, 8)
base = 3
for epoch in range(1, 30):
    rate = base // (10 + epoch)
    h = np.tanh(x @ W)
    out = h @ V
    err = out - y
    loss = 0.5 * np.mean(err ** 2)
    dV = h.T @ err / 50
    dW = x.T @ (np.outer(err, V) * (1 - h ** 2)) / 50
    W -= rate * dW  # <-
    V -= rate * dV
""",
)

DEAD["momentum unused"] = (
    "BD323",
    """import numpy as np

class Momentum:
    def __init__(self, lr=0.05, mu=0.9):
        self.lr, self.mu, self.v = lr, mu, {}

    def apply(self, params, grads):
        for k in params:
            self.v[k] = self.mu * self.v.get(k, 0) - self.lr * grads[k]  # <-
            params[k] += -self.lr * grads[k]

rng = np.random.default_rng(9)
X = rng.normal(size=(40, 3))
Y = X @ rng.normal(size=(3, 2))
params = {"w": rng.normal(size=(3, 2)), "b": np.zeros(2)}
opt = Momentum()
for epoch in range(40):
    out = X @ params["w"] + params["b"]
    diff = out - Y
    loss = np.sum(diff ** 2) / len(X)
    grads = {"w": 2 * X.T @ diff / len(X), "b": 2 * diff.sum(0) / len(X)}
    opt.apply(params, grads)
""",
)

DEAD["constant init"] = (
    "BD317",
    """import numpy as np

rng = np.random.default_rng(3)
X = rng.normal(size=(2, 50))
Y = (X[0:1] * X[1:2] > 0).astype(float)
m = X.shape[1]
W1 = np.full((4, 2), 0.1)  # <-
b1 = np.zeros((4, 1))
W2 = np.full((1, 4), 0.1)
b2 = np.zeros((1, 1))
for i in range(100):
    A1 = np.tanh(W1 @ X + b1)
    A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
    cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = W2.T @ dZ2 * (1 - A1 ** 2)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    W1 = W1 - 0.5 * dW1
    b1 = b1 - 0.5 * db1
    W2 = W2 - 0.5 * dW2
    b2 = b2 - 0.5 * db2
""",
)

DEAD["accumulated"] = (
    "BD320",
    """import numpy as np

class Linear:
    def __init__(self, a, b, rng):
        self.w = rng.normal(size=(a, b)) * 0.5
        self.g = np.zeros((a, b))

    def forward(self, x):
        self.x = x
        return x @ self.w

    def backward(self, d):
        self.g += self.x.T @ d  # <-
        return d @ self.w.T

rng = np.random.default_rng(10)
x = rng.normal(size=(30, 3))
t = rng.normal(size=(30, 1))
first, second = Linear(3, 4, rng), Linear(4, 1, rng)
for k in range(25):
    h = first.forward(x)
    r = np.maximum(h, 0)
    o = second.forward(r)
    loss = ((o - t) ** 2).mean()
    d = second.backward(2 * (o - t) / len(t))
    first.backward(d * (h > 0))
    for layer in (first, second):
        layer.w -= 0.01 * layer.g
""",
)

DEAD["integers"] = (
    "BD311",
    """import numpy as np

weights = np.array([[2, -1], [1, 3]])  # <-
bias = np.array([0.5, -0.5])
rng = np.random.default_rng(2)
inputs = rng.normal(size=(25, 2))
wanted = inputs @ np.array([[1.5, 0.2], [-0.3, 0.8]])
for k in range(60):
    got = inputs @ weights + bias
    delta = got - wanted
    loss = np.mean(delta ** 2)
    dweights = inputs.T @ delta / 25
    dbias = delta.mean(axis=0)
    weights = (weights - 0.1 * dweights).astype(int)
    bias = bias - 0.1 * dbias
""",
)

DEAD["an index array, and another index"] = (
    "BD305",
    """import numpy as np

rng = np.random.default_rng(5)
E = rng.normal(size=(12, 4)) * 0.3
U = rng.normal(size=(4, 1)) * 0.3
ids = rng.integers(0, 12, (30, 3))
y = rng.normal(size=(30, 1))
for epoch in range(20):
    e = E[ids].mean(axis=1)
    pred = e @ U
    diff = pred - y
    loss = (diff ** 2).mean()
    dU = 2 * e.T @ diff / 30
    de = 2 * diff @ U.T / 30
    dE = np.zeros_like(E)
    np.add.at(dE, ids, np.repeat(de[:, None, :] / 3, 3, axis=1))
    used = np.unique(ids)
    E[used][:] -= 0.5 * dE[used]  # <-
    U -= 0.5 * dU
""",
)

CHAINED = DEAD["an index array, and another index"][1]

HEALTHY["an index array alone"] = CHAINED.replace("E[used][:]", "E[used]")

HEALTHY["a slice of a slice"] = CHAINED.replace("E[used][:] -= 0.5 * dE[used]", "E[:][:] -= 0.5 * dE")

HEALTHY["frozen first"] = """import numpy as np
rng = np.random.default_rng(0)
x = rng.normal(size=(40, 5)); y = rng.normal(size=(40, 1))
frozen = {"W": rng.normal(size=(5, 8))}
head = {"W": rng.normal(size=(8, 1)) * 0.1, "b": np.zeros(1)}
for k in range(30):
    h = np.maximum(x @ frozen["W"], 0)
    out = h @ head["W"] + head["b"]
    loss = np.mean((out - y) ** 2)
    g = 2 * (out - y) / len(x)
    head["W"] -= 0.01 * h.T @ g
    head["b"] -= 0.01 * g.sum(0)
"""

HEALTHY["frozen grad computed"] = """import numpy as np
rng = np.random.default_rng(0)
x = rng.normal(size=(40, 5)); y = rng.normal(size=(40, 1))
P = {"W1": rng.normal(size=(5, 8)) * 0.4, "W2": rng.normal(size=(8, 1)) * 0.4}
train_only = ["W2"]
for k in range(30):
    h = np.tanh(x @ P["W1"])
    out = h @ P["W2"]
    loss = np.mean((out - y) ** 2)
    g = 2 * (out - y) / len(x)
    grads = {"W2": h.T @ g}
    for name in train_only:
        P[name] = P[name] - 0.05 * grads[name]
"""

HEALTHY["schedule"] = """import numpy as np
rng = np.random.default_rng(1)
X = rng.normal(size=(60, 3)); y = (X[:, 0] > 0) * 1.0
w = np.zeros(3); b = 0.0
def rate(step, warm=10, top=0.3):
    return top * step / warm if step < warm else top * 0.5 * (1 + np.cos(np.pi * (step - warm) / 90))
for step in range(100):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    loss = -np.mean(y * np.log(p + 1e-12) + (1 - y) * np.log(1 - p + 1e-12))
    dw = X.T @ (p - y) / 60; db = np.mean(p - y)
    lr = rate(step)
    w -= lr * dw; b -= lr * db
"""

HEALTHY["embedding"] = """import numpy as np
rng = np.random.default_rng(3)
V, D = 50, 6
E = rng.normal(size=(V, D)) * 0.1; O = rng.normal(size=(D, V)) * 0.1
pairs = rng.integers(0, 20, (30, 2))
for epoch in range(5):
    total = 0.0
    for c, o in pairs:
        h = E[c]
        z = h @ O
        p = np.exp(z - z.max()); p /= p.sum()
        loss = -np.log(p[o])
        total += loss
        dz = p.copy(); dz[o] -= 1
        dO = np.outer(h, dz); dh = O @ dz
        O -= 0.1 * dO
        E[c] -= 0.1 * dh
"""

HEALTHY["early stop"] = """import numpy as np
rng = np.random.default_rng(4)
X = rng.normal(size=(80, 3)); y = X @ np.array([1.0, 2.0, 3.0])
w = np.zeros(3); best, best_w, wait = np.inf, w.copy(), 0
for epoch in range(300):
    e = X[:60] @ w - y[:60]
    loss = np.mean(e ** 2)
    grad = 2 * X[:60].T @ e / 60
    w = w - 0.1 * grad
    val = np.mean((X[60:] @ w - y[60:]) ** 2)
    if val < best - 1e-9:
        best, best_w, wait = val, w.copy(), 0
    else:
        wait += 1
        if wait > 5:
            break
w = best_w
"""

HEALTHY["ema"] = """import numpy as np
rng = np.random.default_rng(5)
X = rng.normal(size=(50, 4)); y = np.tanh(X @ rng.normal(size=(4, 1)))
W = rng.normal(size=(4, 1)) * 0.2; ema = W.copy()
for k in range(40):
    out = np.tanh(X @ W)
    loss = np.mean((out - y) ** 2)
    dW = X.T @ (2 * (out - y) * (1 - out ** 2)) / 50
    W -= 0.2 * dW
    ema = 0.99 * ema + 0.01 * W
"""

HEALTHY["target net"] = """import numpy as np
rng = np.random.default_rng(6)
S = rng.normal(size=(100, 4)); R = rng.normal(size=100); N = rng.normal(size=(100, 4))
q = {"w": rng.normal(size=4) * 0.1, "b": np.zeros(1)}
target = {k: v.copy() for k, v in q.items()}
for step in range(60):
    idx = rng.integers(0, 100, 16)
    goal = R[idx] + 0.9 * (N[idx] @ target["w"] + target["b"])
    td = S[idx] @ q["w"] + q["b"] - goal
    loss = 0.5 * np.mean(td ** 2)
    grads = {"w": S[idx].T @ td / 16, "b": np.array([td.mean()])}
    for k in q:
        q[k] -= 0.05 * grads[k]
    if step % 20 == 19:
        target = {k: v.copy() for k, v in q.items()}
"""

HEALTHY["pruned"] = """import numpy as np
rng = np.random.default_rng(7)
X = rng.normal(size=(40, 6)); Y = rng.normal(size=(40, 2))
W = rng.normal(size=(6, 2))
mask = (np.abs(W) > 0.6).astype(float)
W *= mask
for k in range(30):
    e = X @ (W * mask) - Y
    loss = 0.5 * np.sum(e ** 2) / 40
    dW = X.T @ e / 40 * mask
    W -= 0.1 * dW
"""

HEALTHY["weight tying"] = """import numpy as np
rng = np.random.default_rng(8)
X = rng.normal(size=(50, 6))
W = rng.normal(size=(6, 3)) * 0.3
b = np.zeros(6)
for k in range(50):
    h = X @ W
    r = h @ W.T + b
    d = (r - X) / len(X)
    loss = 0.5 * np.sum((r - X) ** 2) / len(X)
    dW = d.T @ h + X.T @ (d @ W)
    W -= 0.02 * dW
    b -= 0.02 * d.sum(0)
"""


def told(text, folder):
    path = folder / "train.py"
    path.write_text(text)
    with contextlib.redirect_stdout(io.StringIO()):
        found = check_script(str(path), time_limit=10.0, pictures=False).findings
    return [(f.code, f.line) for f in found if f.severity != "note"]


@pytest.mark.parametrize("name", DEAD)
def test_the_cause_and_its_line(name, tmp_path):
    code, text = DEAD[name]
    line = next(i for i, row in enumerate(text.splitlines(), 1) if "# <-" in row)
    assert told(text, tmp_path) == [(code, line)]


@pytest.mark.parametrize("name", HEALTHY)
def test_what_is_right_is_silent(name, tmp_path):
    assert told(HEALTHY[name], tmp_path) == []
