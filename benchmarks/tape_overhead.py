"""What the recorder costs: an instrumented loop that is not recorded, and a recorded step, against the plain script.

    OMP_NUM_THREADS=1 python benchmarks/tape_overhead.py

Prints the time of a step plain, instrumented, and recorded, as medians over alternating runs, and the two ratios with
their limits: 1.05 for a step of about 0.5 ms that is not recorded, 5 for one that is.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from backpropdoctor.tape.run import run_script

SCRIPT = """
import time
import numpy as np

rng = np.random.default_rng(0)
X, Y = rng.standard_normal(({n}, 64)), rng.standard_normal(({n}, 1))
W1, b1, W2, b2 = rng.standard_normal((64, 32)) / 8, np.zeros(32), rng.standard_normal((32, 1)) / 6, np.zeros(1)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def forward(X):
    z1 = X @ W1 + b1
    a1 = sigmoid(z1)
    return a1, a1 @ W2 + b2


times = []
for step in range({steps}):
    start = time.perf_counter()
    a1, out = forward(X)
    loss = np.mean((out - Y) ** 2)
    dout = 2 * (out - Y) / len(X)
    dW2, db2 = a1.T @ dout, dout.sum(axis=0)
    dz1 = dout @ W2.T * a1 * (1 - a1)
    dW1, db1 = X.T @ dz1, dz1.sum(axis=0)
    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    W2 -= 0.1 * dW2
    b2 -= 0.1 * db2
    times.append(time.perf_counter() - start)
"""


class Never:
    """Records nothing."""

    def begin(self, *_: Any) -> bool:
        return False

    def end(self, *_: Any) -> None:
        pass


class Some(Never):
    """Records the first steps, then no more."""

    def begin(self, loop: Any, instance: int, iteration: int, tape: Any) -> bool:
        return iteration < 3


def plain(path: Path) -> list[float]:
    """The times of the steps without this package."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(path.read_text(), str(path), "exec"), namespace)
    return namespace["times"]


def median(times: list[float]) -> float:
    return statistics.median(times)


def measure(rows: int, steps: int, rounds: int = 9) -> tuple[float, float, float]:
    """Seconds of a step: plain, instrumented, recorded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "script.py")
        path.write_text(SCRIPT.format(n=rows, steps=steps))
        bare, idle, recorded = [], [], []
        for _ in range(rounds):
            bare.append(median(plain(path)[3:]))
            idle.append(median(run_script(path, policy=Never()).namespace["times"][3:]))
            recorded.append(median(run_script(path, policy=Some()).namespace["times"][1:3]))
    return min(bare), min(idle), min(recorded)


def main() -> int:
    """Print the ratios; exit status 1 if a limit is exceeded."""
    bare, idle, recorded = measure(rows=1500, steps=200)
    print(f"plain step {bare * 1e3:.3f} ms; instrumented {idle * 1e3:.3f} ms; recorded {recorded * 1e3:.3f} ms")
    print(f"instrumented, not recorded: {idle / bare:.3f} (limit 1.05)")
    print(f"recorded: {recorded / bare:.2f} (limit 5)")
    return int(idle / bare > 1.05 or recorded / bare > 5)


if __name__ == "__main__":
    sys.exit(main())
