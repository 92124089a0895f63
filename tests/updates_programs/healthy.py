"""Look-alikes: each is right, and near to one of the faults."""

from __future__ import annotations

from .broken import F_BIAS, F_UPDATE, LOOP, N_UPDATE, Broken, C, F, N

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
