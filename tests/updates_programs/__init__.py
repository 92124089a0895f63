"""Three healthy programs in three styles, and the edits that give each of them one fault of its updates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
MARK = "# <-"


@dataclass(frozen=True)
class Broken:
    """`edits` are pairs (before, after) of text; the line that holds MARK is the one to be named."""

    style: str
    code: str
    tensors: tuple[str, ...]
    edits: tuple[tuple[str, str], ...]

    @property
    def source(self) -> str:
        text = (HERE / f"{self.style}.py").read_text()
        for before, after in self.edits:
            assert text.count(before) == 1, (self.style, before, text.count(before))
            text = text.replace(before, after)
        return text

    @property
    def line(self) -> int:
        rows = [n for n, row in enumerate(self.source.splitlines(), 1) if row.endswith(MARK)]
        assert len(rows) == 1, (self.style, self.code, rows)
        return rows[0]


F, N, C = "functions", "inline", "network"
ALL = ("W1", "b1", "W2", "b2")
LOOP = "    for k in range(1, 3):\n"
F_UPDATE = '        p["W" + str(k)] = p["W" + str(k)] - lr * grads["dW" + str(k)]\n'
F_BIAS = '        p["b" + str(k)] = p["b" + str(k)] - lr * grads["db" + str(k)]\n'
N_UPDATE = "    W1 -= lr * dW1\n    b1 -= lr * db1\n    W2 -= lr * dW2\n    b2 -= lr * db2\n"
C_UPDATE = (
    "        self.W1 = self.W1 - lr * self.dW1\n        self.b1 = self.b1 - lr * self.db1\n"
    "        self.W2 = self.W2 - lr * self.dW2\n        self.b2 = self.b2 - lr * self.db2\n"
)
C_LOOP = (
    "        for name in {names}:  # <-\n"
    "            setattr(self, name, getattr(self, name) - lr * getattr(self, 'd' + name))\n"
)


def indented(text: str) -> str:
    return "".join("    " + row for row in text.splitlines(keepends=True))


BROKEN = [
    # an empty loop
    Broken(F, "BD301", ALL, ((LOOP, "    L = len(p) // 2\n    for k in range(1, L - 1):  # <-\n"),)),
    Broken(N, "BD301", ALL, ((N_UPDATE, "    for part in range(0, epoch * 0):  # <-\n" + indented(N_UPDATE)),)),
    Broken(
        C,
        "BD301",
        ALL,
        ((C_UPDATE, "        for k in range(len(self.x), len(self.W1) - 1):  # <-\n" + indented(C_UPDATE)),),
    ),
    # a branch not taken
    Broken(
        F,
        "BD302",
        ALL,
        (
            (
                "    params = update(params, grads, 0.1)\n",
                "    if loss < 0:  # <-\n        params = update(params, grads, 0.1)\n",
            ),
        ),
    ),
    Broken(N, "BD302", ALL, ((N_UPDATE, "    if epoch > 40:  # <-\n" + indented(N_UPDATE)),)),
    Broken(
        C,
        "BD302",
        ("W1", "b1"),
        (
            (
                "        self.W1 = self.W1 - lr * self.dW1\n        self.b1 = self.b1 - lr * self.db1\n",
                "        if self.W1.ndim == 1:  # <-\n            self.W1 = self.W1 - lr * self.dW1\n"
                "            self.b1 = self.b1 - lr * self.db1\n",
            ),
        ),
    ),
    # a function that is never called
    Broken(
        F,
        "BD303",
        ALL,
        (
            ("def update(p, grads, lr):\n", "def update(p, grads, lr):  # <-\n"),
            ("    params = update(params, grads, 0.1)\n", ""),
        ),
    ),
    Broken(
        N,
        "BD303",
        ALL,
        (
            (N_UPDATE, ""),
            ("for epoch in", "def learn():  # <-\n    global W1, b1, W2, b2\n" + N_UPDATE + "\n\nfor epoch in"),
        ),
    ),
    Broken(
        C,
        "BD303",
        ALL,
        (("    def step(self, lr):\n", "    def step(self, lr):  # <-\n"), ("        net.step(lr)\n", "")),
    ),
    # a return value that is ignored
    Broken(
        F,
        "BD304",
        ALL,
        (
            (LOOP, "    p = dict(p)\n" + LOOP),
            ("    params = update(params, grads, 0.1)\n", "    update(params, grads, 0.1)  # <-\n"),
        ),
    ),
    Broken(
        N,
        "BD304",
        ("W1",),
        (
            ("for epoch in", "def moved(w, g):\n    return w - lr * g\n\n\nfor epoch in"),
            ("    W1 -= lr * dW1\n", "    moved(W1, dW1)  # <-\n"),
        ),
    ),
    Broken(
        C,
        "BD304",
        ("W1",),
        (
            (
                "    def step",
                "    def moved(self, w, g, lr):\n        w = w - lr * g\n        return w\n\n    def step",
            ),
            ("        self.W1 = self.W1 - lr * self.dW1\n", "        self.moved(self.W1, self.dW1, lr)  # <-\n"),
        ),
    ),
    # a copy, or a rebound local name
    Broken(
        F,
        "BD305",
        ("W1", "W2"),
        ((F_UPDATE, '        W = p["W" + str(k)].copy()\n        W -= lr * grads["dW" + str(k)]  # <-\n'),),
    ),
    Broken(
        N,
        "BD305",
        ALL,
        ((N_UPDATE, "    for w, g in ((W1, dW1), (b1, db1), (W2, dW2), (b2, db2)):\n        w = w - lr * g  # <-\n"),),
    ),
    Broken(
        C,
        "BD305",
        ("W1",),
        (("        self.W1 = self.W1 - lr * self.dW1\n", "        W1 = self.W1 - lr * self.dW1  # <-\n"),),
    ),
    # restored later
    Broken(
        F,
        "BD306",
        ("W1",),
        (
            ("params = initialise()\n", 'params = initialise()\nbest = params["W1"].copy()\n'),
            (
                "    params = update(params, grads, 0.1)\n",
                '    params = update(params, grads, 0.1)\n    params["W1"] = best.copy()  # <-\n',
            ),
        ),
    ),
    Broken(
        N,
        "BD306",
        ("b2",),
        (
            ("lr = 0.1\n", "lr = 0.1\nkept = b2.copy()\n"),
            ("    b2 -= lr * db2\n", "    b2 -= lr * db2\n    b2[:] = kept  # <-\n"),
        ),
    ),
    Broken(
        C,
        "BD306",
        ("W2",),
        (
            ("    def step(self, lr):\n", "    def step(self, lr):\n        before = self.W2\n"),
            (
                "        self.W2 = self.W2 - lr * self.dW2\n",
                "        self.W2 = self.W2 - lr * self.dW2\n        self.W2 = before  # <-\n",
            ),
        ),
    ),
    # a learning rate or a clip of zero
    Broken(
        N,
        "BD307",
        ("W1",),
        (("lr = 0.1\n", "lr = 0.1\nlr1 = 0.0\n"), ("    W1 -= lr * dW1\n", "    W1 -= lr1 * dW1  # <-\n")),
    ),
    Broken(
        F,
        "BD307",
        ("W1", "W2"),
        (
            ("def update(p, grads, lr):\n", "def update(p, grads, lr, limit=0.0):\n"),
            (
                F_UPDATE,
                '        g = np.clip(grads["dW" + str(k)], -limit, limit)  # <-\n'
                '        p["W" + str(k)] = p["W" + str(k)] - lr * g\n',
            ),
        ),
    ),
    Broken(
        C,
        "BD307",
        ("W2",),
        (
            (
                "        self.W2 = self.W2 - lr * self.dW2\n",
                "        decay = 0.0\n        self.W2 = self.W2 - lr * decay * self.dW2  # <-\n",
            ),
        ),
    ),
    # lost to rounding
    Broken(
        N,
        "BD308",
        ("W1", "W2"),
        (
            (
                "W1 = rng.standard_normal((3, 4)) * 0.5\n",
                "W1 = (rng.standard_normal((3, 4)) * 0.5).astype(np.float16)\n",
            ),
            (
                "W2 = rng.standard_normal((4, 2)) * 0.5\n",
                "W2 = (rng.standard_normal((4, 2)) * 0.5).astype(np.float16)\n",
            ),
            ("lr = 0.1\n", "lr = 1e-5\n"),
            ("    W1 -= lr * dW1\n    b1", "    W1 -= lr * dW1  # <-\n    b1"),
        ),
    ),
    Broken(
        F,
        "BD308",
        ("W1", "W2"),
        (
            ("X = rng.standard_normal((12, 4))\n", "X = rng.standard_normal((12, 4)).astype(np.float32)\n"),
            (
                "    return p\n\n\ndef forward",
                "    return {k: v.astype(np.float32) for k, v in p.items()}\n\n\ndef forward",
            ),
            ("    params = update(params, grads, 0.1)\n", "    params = update(params, grads, np.float32(1e-9))\n"),
            (
                F_UPDATE,
                F_UPDATE.rstrip("\n").replace('lr * grads["dW" + str(k)]', '(lr * grads["dW" + str(k)]).astype(np.float32)')
                + "  # <-\n",
            ),
            (F_BIAS, F_BIAS.replace('lr * grads["db" + str(k)]', '(lr * grads["db" + str(k)]).astype(np.float32)')),
        ),
    ),
    Broken(
        C,
        "BD308",
        ("W1",),
        (("        self.W1 = self.W1 - lr * self.dW1\n", "        self.W1 = self.W1 - 1e-18 * self.dW1  # <-\n"),),
    ),
    # a key that does not exist
    Broken(F, "BD309", (), ((F_UPDATE, '        p["W" + str(k)] = p["W" + str(k)] - lr * grads["W" + str(k)]  # <-\n'),)),
    Broken(
        N,
        "BD309",
        (),
        (("    W1 -= lr * dW1\n", '    grads = {"dW1": dW1, "db1": db1}\n    W1 -= lr * grads["dW_1"]  # <-\n'),),
    ),
    Broken(
        C,
        "BD309",
        (),
        (
            (
                "        self.db1 = delta1.sum(axis=1, keepdims=True)\n",
                "        self.db1 = delta1.sum(axis=1, keepdims=True)\n        self.grads = {1: self.dW1, 2: self.dW2}\n",
            ),
            ("        self.W2 = self.W2 - lr * self.dW2\n", "        self.W2 = self.W2 - lr * self.grads[3]  # <-\n"),
        ),
    ),
    # a shape that drifts
    Broken(
        C,
        "BD310",
        ("b1",),
        (
            ("        self.db1 = delta1.sum(axis=1, keepdims=True)\n", "        self.db1 = delta1.sum(axis=1)\n"),
            ("        self.b1 = self.b1 - lr * self.db1\n", "        self.b1 = self.b1 - lr * self.db1  # <-\n"),
            ("self.W1 @ x + self.b1\n", "self.W1 @ x + self.b1[:, :1]\n"),
        ),
    ),
    Broken(
        F,
        "BD310",
        ("W2",),
        (
            ('    grads["dW2"] = a1.T @ d2\n', '    grads["dW2"] = (a1 * d2).sum(axis=0)\n'),
            ('    z2 = a1 @ p["W2"] + p["b2"]\n', '    z2 = a1 @ p["W2"][:, :1] + p["b2"]\n'),
            ('    d1 = (d2 @ p["W2"].T) * (z1 > 0)\n', '    d1 = (d2 @ p["W2"][:, :1].T) * (z1 > 0)\n'),
            (F_UPDATE, F_UPDATE.rstrip("\n") + "  # <-\n"),
        ),
    ),
    Broken(
        N,
        "BD310",
        ("b2",),
        (
            ("b2 = np.zeros(2)\n", "b2 = np.zeros((2, 1))\n"),
            ("    out = a1 @ W2 + b2\n", "    out = a1 @ W2 + b2[:, 0]\n"),
            ("    b2 -= lr * db2\n", "    b2 = b2 - lr * db2  # <-\n"),
        ),
    ),
    # integers
    Broken(
        N,
        "BD311",
        ("W1",),
        (
            ("W1 = rng.standard_normal((3, 4)) * 0.5\n", "W1 = rng.integers(-2, 3, (3, 4))  # <-\n"),
            ("    W1 -= lr * dW1\n", "    W1[:] = W1 - lr * dW1\n"),
        ),
    ),
    Broken(
        F,
        "BD311",
        ("W1",),
        (
            ('    p["W1"] = rng.standard_normal((4, 5)) * 0.5\n', '    p["W1"] = rng.integers(-1, 2, (4, 5))  # <-\n'),
            (F_UPDATE, '        p["W" + str(k)][...] = p["W" + str(k)] - lr * grads["dW" + str(k)]\n'),
        ),
    ),
    Broken(
        C,
        "BD311",
        ("W2",),
        (
            (
                "        self.W2 = rng.standard_normal((n_out, n_hidden)) * 0.5\n",
                "        self.W2 = np.eye(n_out, n_hidden, dtype=int)  # <-\n",
            ),
            (
                "        self.W2 = self.W2 - lr * self.dW2\n",
                "        self.W2 = (self.W2 - lr * self.dW2).astype(int)\n",
            ),
        ),
    ),
    # a dead layer
    Broken(
        F,
        "BD312",
        ("W1", "b1"),
        (
            ('    p["b1"] = np.zeros((1, 5))\n', '    p["b1"] = np.full((1, 5), -50.0)\n'),
            ("    a1 = np.maximum(z1, 0)\n", "    a1 = np.maximum(z1, 0)  # <-\n"),
        ),
    ),
    Broken(
        N,
        "BD312",
        ("W1", "b1"),
        (
            ("    a1 = np.tanh(z1)\n", "    a1 = z1 * (z1 > 0)  # <-\n"),
            ("(1 - a1**2)", "(z1 > 0)"),
            ("b1 = np.zeros(4)\n", "b1 = np.zeros(4) - 30\n"),
        ),
    ),
    Broken(
        C,
        "BD312",
        ("W1", "b1"),
        (
            (
                "        self.h = 1 / (1 + np.exp(-self.z))\n",
                "        self.h = np.where(self.z > 0, self.z, 0.0)  # <-\n",
            ),
            ("* self.h * (1 - self.h)", "* (self.z > 0)"),
            ("        self.b1 = np.zeros((n_hidden, 1))\n", "        self.b1 = np.zeros((n_hidden, 1)) - 40\n"),
        ),
    ),
    # saturated
    Broken(
        N,
        "BD313",
        ("W1", "b1"),
        (("b1 = np.zeros(4)\n", "b1 = np.zeros(4) + 60\n"), ("    a1 = np.tanh(z1)\n", "    a1 = np.tanh(z1)  # <-\n")),
    ),
    Broken(
        C,
        "BD313",
        ("W1", "b1"),
        (
            ("        self.b1 = np.zeros((n_hidden, 1))\n", "        self.b1 = np.zeros((n_hidden, 1)) + 90.0\n"),
            ("        self.h = 1 / (1 + np.exp(-self.z))\n", "        self.h = 1 / (1 + np.exp(-self.z))  # <-\n"),
        ),
    ),
    Broken(
        F,
        "BD313",
        ("W1", "b1"),
        (
            ("    a1 = np.maximum(z1, 0)\n", "    a1 = 1 / (1 + np.exp(-z1))  # <-\n"),
            ("* (z1 > 0)", "* a1 * (1 - a1)"),
            ('    p["b1"] = np.zeros((1, 5))\n', '    p["b1"] = np.full((1, 5), 80.0)\n'),
        ),
    ),
    # inputs that are always zero
    Broken(
        N,
        "BD314",
        ("W1",),
        (("Y = np.sin", "X[:, 2] = 0\nY = np.sin"), ("    W1 -= lr * dW1\n", "    W1 -= lr * dW1  # <-\n")),
    ),
    Broken(F, "BD314", ("W1",), (("Y = (X", "X[:, [2, 3]] = 0\nY = (X"), (F_UPDATE, F_UPDATE.rstrip("\n") + "  # <-\n"))),
    Broken(
        C,
        "BD314",
        ("W1",),
        (
            ("y = np.tanh", "x[2] = 0\ny = np.tanh"),
            ("        self.W1 = self.W1 - lr * self.dW1\n", "        self.W1 = self.W1 - lr * self.dW1  # <-\n"),
        ),
    ),
    # not on the path to the loss
    Broken(
        N,
        "BD315",
        ("b1",),
        (
            ("    z1 = X @ W1 + b1\n", "    z1 = X @ W1\n"),
            ("    db1 = d_hidden.sum(axis=0)\n", "    db1 = np.zeros(4)  # <-\n"),
        ),
    ),
    Broken(
        F,
        "BD315",
        ("b2",),
        (
            ('    z2 = a1 @ p["W2"] + p["b2"]\n', '    z2 = a1 @ p["W2"]\n'),
            ('    grads["db2"] = d2.sum(axis=0, keepdims=True)\n', '    grads["db2"] = np.zeros((1, 1))  # <-\n'),
        ),
    ),
    Broken(
        C,
        "BD315",
        ("b1",),
        (
            ("self.W1 @ x + self.b1\n", "self.W1 @ x\n"),
            ("        self.db1 = delta1.sum(axis=1, keepdims=True)\n", "        self.db1 = np.zeros((4, 1))  # <-\n"),
        ),
    ),
    # a zero gradient where the loss moves
    Broken(N, "BD316", ("b1",), (("    db1 = d_hidden.sum(axis=0)\n", "    db1 = np.zeros_like(b1)  # <-\n"),)),
    Broken(
        F,
        "BD316",
        ("b2",),
        (
            (
                '    grads["db2"] = d2.sum(axis=0, keepdims=True)\n',
                '    grads["db2"] = 0 * d2.sum(axis=0, keepdims=True)  # <-\n',
            ),
        ),
    ),
    Broken(
        C,
        "BD316",
        ("b1",),
        (("        self.db1 = delta1.sum(axis=1, keepdims=True)\n", "        self.db1 = np.zeros((4, 1))  # <-\n"),),
    ),
    # units in lockstep
    Broken(
        N,
        "BD317",
        ("W1", "W2"),
        (
            ("W1 = rng.standard_normal((3, 4)) * 0.5\n", "W1 = np.ones((3, 4)) * 0.5  # <-\n"),
            ("W2 = rng.standard_normal((4, 2)) * 0.5\n", "W2 = np.full((4, 2), 0.1)\n"),
        ),
    ),
    Broken(
        F,
        "BD317",
        ("W1", "W2"),
        (
            ('    p["W1"] = rng.standard_normal((4, 5)) * 0.5\n', '    p["W1"] = np.zeros((4, 5))  # <-\n'),
            ('    p["W2"] = rng.standard_normal((5, 1)) * 0.5\n', '    p["W2"] = np.zeros((5, 1))\n'),
        ),
    ),
    Broken(
        C,
        "BD317",
        ("W1", "W2"),
        (
            (
                "        self.W1 = rng.standard_normal((n_hidden, n_in)) * 0.5\n",
                "        self.W1 = np.zeros((n_hidden, n_in))  # <-\n",
            ),
            (
                "        self.W2 = rng.standard_normal((n_out, n_hidden)) * 0.5\n",
                "        self.W2 = np.zeros((n_out, n_hidden))\n",
            ),
        ),
    ),
    # one array under two names
    Broken(
        N,
        "BD318",
        ("b1", "b3"),
        (
            ("b2 = np.zeros(2)\n", "b2 = np.zeros(2)\nb3 = b1  # <-\n"),
            ("    z1 = X @ W1 + b1\n", "    z1 = X @ W1 + b1 * b1 + b3\n"),
            (
                "    db1 = d_hidden.sum(axis=0)\n",
                "    db1 = d_hidden.sum(axis=0) * 2 * b1\n    db3 = d_hidden.sum(axis=0)\n",
            ),
            ("    b1 -= lr * db1\n", "    b1 -= lr * db1\n    b3 -= lr * db3\n"),
        ),
    ),
    Broken(
        F,
        "BD318",
        ("b1", "c"),
        (
            (
                '    p["W2"] = rng.standard_normal((5, 1)) * 0.5\n',
                '    p["c"] = p["b1"]  # <-\n    p["W2"] = rng.standard_normal((5, 1)) * 0.5\n',
            ),
            ('    z1 = X @ p["W1"] + p["b1"]\n', '    z1 = X @ p["W1"] + 2 * p["b1"] + p["c"]\n'),
            (
                '    grads["db1"] = d1.sum(axis=0, keepdims=True)\n',
                '    grads["db1"] = 2 * d1.sum(axis=0, keepdims=True)\n    grads["dc"] = d1.sum(axis=0, keepdims=True)\n',
            ),
            (F_BIAS, '        p["b" + str(k)] -= lr * grads["db" + str(k)]\n'),
            ("    return p\n\n\nparams", '    p["c"] -= lr * grads["dc"]\n    return p\n\n\nparams'),
        ),
    ),
    Broken(
        C,
        "BD318",
        ("b1", "c"),
        (
            (
                "        self.b1 = np.zeros((n_hidden, 1))\n",
                "        self.b1 = self.c = np.zeros((n_hidden, 1))  # <-\n",
            ),
            ("self.W1 @ x + self.b1\n", "self.W1 @ x + self.b1 + 3 * self.c\n"),
            (
                "        self.db1 = delta1.sum(axis=1, keepdims=True)\n",
                "        self.db1 = delta1.sum(axis=1, keepdims=True)\n        self.dc = 3 * self.db1\n",
            ),
            (
                "        self.b1 = self.b1 - lr * self.db1\n",
                "        self.b1 -= lr * self.db1\n        self.c -= lr * self.dc\n",
            ),
        ),
    ),
    # gradients that are never computed again
    Broken(
        N,
        "BD319",
        ("W2",),
        (("    dW2 = a1.T @ d_out\n", "    if epoch == 0:\n        dW2 = a1.T @ d_out  # <-\n"),),
    ),
    Broken(
        F,
        "BD319",
        ALL,
        (
            (
                "    grads = backward(params, z1, a1, z2)\n",
                "    if step == 0:\n        grads = backward(params, z1, a1, z2)\n",
            ),
        ),
    ),
    Broken(C, "BD319", ALL, (("        net.backward(y)\n", "        if epoch == 0:\n            net.backward(y)\n"),)),
    # gradients that pile up
    Broken(
        N,
        "BD320",
        ("W1",),
        (
            ("lr = 0.1\n", "lr = 0.1\ndW1 = np.zeros((3, 4))\n"),
            ("    dW1 = X.T @ d_hidden\n", "    dW1 += X.T @ d_hidden  # <-\n"),
        ),
    ),
    Broken(
        F,
        "BD320",
        ("W2",),
        (
            ("    grads = {}\n", ""),
            ("def backward(p,", 'grads = {"dW2": np.zeros((5, 1))}\n\n\ndef backward(p,'),
            ('    grads["dW2"] = a1.T @ d2\n', '    grads["dW2"] = grads["dW2"] + a1.T @ d2  # <-\n'),
        ),
    ),
    Broken(
        C,
        "BD320",
        ("b2",),
        (
            (
                "        self.b2 = np.zeros((n_out, 1))\n",
                "        self.b2 = np.zeros((n_out, 1))\n        self.db2 = np.zeros((n_out, 1))\n",
            ),
            (
                "        self.db2 = delta2.sum(axis=1, keepdims=True)\n",
                "        self.db2 += delta2.sum(axis=1, keepdims=True)  # <-\n",
            ),
        ),
    ),
    # up the loss
    Broken(
        N,
        "BD321",
        ALL,
        ((N_UPDATE, N_UPDATE.replace("-=", "+=").replace("    W1 += lr * dW1\n", "    W1 += lr * dW1  # <-\n")),),
    ),
    Broken(
        F,
        "BD321",
        ALL,
        (
            (F_UPDATE, F_UPDATE.replace(" - lr", " + lr").rstrip("\n") + "  # <-\n"),
            (F_BIAS, F_BIAS.replace(" - lr", " + lr")),
        ),
    ),
    Broken(C, "BD321", ALL, ((C_UPDATE, C_UPDATE.replace(" - lr", " + lr").replace("self.dW1\n", "self.dW1  # <-\n")),)),
    # an update applied twice
    Broken(N, "BD322", ("W2",), (("    W2 -= lr * dW2\n", "    W2 -= lr * dW2\n    W2 -= lr * dW2  # <-\n"),)),
    Broken(
        F,
        "BD322",
        ALL,
        (
            (
                "    params = update(params, grads, 0.1)\n",
                "    params = update(params, grads, 0.1)\n    params = update(params, grads, 0.1)  # <-\n",
            ),
        ),
    ),
    Broken(C, "BD322", ALL, (("        net.step(lr)\n", "        net.step(lr)\n        net.step(lr)  # <-\n"),)),
    # momentum that is never used
    Broken(
        N,
        "BD323",
        ("v1",),
        (
            ("lr = 0.1\n", "lr = 0.1\nv1 = np.zeros((3, 4))\n"),
            ("    W1 -= lr * dW1\n", "    v1 = 0.9 * v1 + lr * dW1  # <-\n    W1 -= lr * dW1\n"),
        ),
    ),
    Broken(
        F,
        "BD323",
        ("velocity['W1']", "velocity['W2']"),
        (
            ("def update(p", 'velocity = {"W1": np.zeros((4, 5)), "W2": np.zeros((5, 1))}\n\n\ndef update(p'),
            (
                F_UPDATE,
                '        velocity["W" + str(k)] = 0.9 * velocity["W" + str(k)] - lr * grads["dW" + str(k)]  # <-\n' + F_UPDATE,
            ),
        ),
    ),
    Broken(
        C,
        "BD323",
        ("m",),
        (
            ("        self.W2 = rng", "        self.m = np.zeros((n_hidden, n_in))\n        self.W2 = rng"),
            (
                "        self.W1 = self.W1 - lr * self.dW1\n",
                "        self.m = 0.9 * self.m + 0.1 * self.dW1  # <-\n        self.W1 = self.W1 - lr * self.dW1\n",
            ),
        ),
    ),
]

# look-alikes: each is right, and near to one of the faults
HEALTHY = [
    Broken(F, "", (), ()),
    Broken(N, "", (), ()),
    Broken(C, "", (), ()),
    # momentum, used
    Broken(
        N,
        "",
        (),
        (
            ("lr = 0.1\n", "lr = 0.1\nv1 = np.zeros((3, 4))\n"),
            ("    W1 -= lr * dW1\n", "    v1 = 0.9 * v1 - lr * dW1\n    W1 += v1\n"),
        ),
    ),
    # accumulated over micro-batches, then cleared
    Broken(
        N,
        "",
        (),
        (
            ("lr = 0.1\n", "lr = 0.1\nsum1 = np.zeros((3, 4))\n"),
            (
                "    W1 -= lr * dW1\n",
                "    sum1 += dW1\n    if epoch % 4 == 3:\n        W1 -= lr * sum1\n        sum1[:] = 0\n",
            ),
        ),
    ),
    # a warm-up from zero, long
    Broken(N, "", (), ((N_UPDATE, "    lr = 0.1 * max(epoch - 10, 0)\n" + N_UPDATE),)),
    # trained only after some steps
    Broken(N, "", (), (("    W1 -= lr * dW1\n", "    if epoch > 20:\n        W1 -= lr * dW1\n"),)),
    # the other sign convention
    Broken(N, "", (), (("    error = out - Y\n", "    error = Y - out\n"), (N_UPDATE, N_UPDATE.replace("-=", "+=")))),
    # one layer starts at zero
    Broken(N, "", (), (("W2 = rng.standard_normal((4, 2)) * 0.5\n", "W2 = np.zeros((4, 2))\n"),)),
    # a tied pair of weights
    Broken(
        N,
        "",
        (),
        (("    W1 -= lr * dW1\n", "    V = W1.T\n    V -= lr * dW1.T\n"),),
    ),
    # weight decay as a second update
    Broken(N, "", (), (("    W2 -= lr * dW2\n", "    W2 -= lr * dW2\n    W2 -= lr * 1e-3 * W2\n"),)),
    # the functional style, with a new container
    Broken(
        F,
        "",
        (),
        ((LOOP + F_UPDATE + F_BIAS + "    return p\n", '    return {k: p[k] - lr * grads["d" + k] for k in p}\n'),),
    ),
    # a line search that accepts its step later
    Broken(
        N,
        "",
        (),
        (
            (
                "    W1 -= lr * dW1\n",
                "    trial = W1 - lr * dW1\n    if epoch >= 8:\n        W1 = trial\n",
            ),
        ),
    ),
    # the loop of another optimiser, unused
    Broken(
        F,
        "",
        (),
        (
            (
                "def update(p",
                "def update_adam(p, grads, lr):\n"
                "    for k in p:\n        p[k] = p[k] - lr * grads['d' + k]\n    return p\n\n\ndef update(p",
            ),
        ),
    ),
    Broken(
        C,
        "",
        (),
        (
            (
                "    def step(self, lr):\n",
                "    def step_slow(self, lr):\n        self.W1 = self.W1 - 0.1 * lr * self.dW1\n\n    def step(self, lr):\n",
            ),
        ),
    ),
    # the mean of the gradients is kept for a plot
    Broken(
        N,
        "",
        (),
        (
            ("lr = 0.1\n", "lr = 0.1\nmean_loss = 0.0\n"),
            ("    W1 -= lr * dW1\n", "    mean_loss = 0.9 * mean_loss + 0.1 * loss\n    W1 -= lr * dW1\n"),
        ),
    ),
]
