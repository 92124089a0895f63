"""Updates that are run and lost: in copies, by restoring, by a rate of zero, by rounding, under another key or shape."""

from __future__ import annotations

from .broken import ALL, F_BIAS, F_UPDATE, N_UPDATE, Broken, C, F, N

LOST = [
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
            ("        self.db1 = delta1.sum(axis=1, keepdims=True)\n", "        self.db1 = delta1.sum(axis=1)  # <-\n"),
            ("self.W1 @ x + self.b1\n", "self.W1 @ x + self.b1[:, :1]\n"),
        ),
    ),
    Broken(
        F,
        "BD310",
        ("W2",),
        (
            ('    grads["dW2"] = a1.T @ d2\n', '    grads["dW2"] = (a1 * d2).sum(axis=0)  # <-\n'),
            ('    z2 = a1 @ p["W2"] + p["b2"]\n', '    z2 = a1 @ p["W2"][:, :1] + p["b2"]\n'),
            ('    d1 = (d2 @ p["W2"].T) * (z1 > 0)\n', '    d1 = (d2 @ p["W2"][:, :1].T) * (z1 > 0)\n'),
        ),
    ),
    Broken(
        N,
        "BD310",
        ("b2",),
        (
            ("b2 = np.zeros(2)\n", "b2 = np.zeros((2, 1))\n"),
            ("    out = a1 @ W2 + b2\n", "    out = a1 @ W2 + b2[:, 0]\n"),
            ("    b2 -= lr * db2\n", "    b2 = b2 - lr * db2\n"),
            ("    db2 = d_out.sum(axis=0)\n", "    db2 = d_out.sum(axis=0)  # <-\n"),
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
]
