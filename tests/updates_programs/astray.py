"""Updates that move the parameters, but not as is meant: together, by old or piled up gradients, up the loss, twice."""

from __future__ import annotations

from .broken import ALL, C_UPDATE, F_BIAS, F_UPDATE, N_UPDATE, Broken, C, F, N

ASTRAY = [
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
