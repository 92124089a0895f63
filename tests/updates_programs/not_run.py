"""Updates that are never run: loops over nothing, branches not taken, functions not called, results ignored."""

from __future__ import annotations

from .broken import ALL, C_UPDATE, LOOP, N_UPDATE, Broken, C, F, N, indented

NOT_RUN = [
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
]
