"""Updates by gradients that are zero where the loss, or something before it, is flat."""

from __future__ import annotations

from .broken import F_UPDATE, Broken, C, F, N

NO_GRADIENT = [
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
]
