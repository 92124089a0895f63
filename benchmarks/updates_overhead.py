"""What `watch_updates` costs: an MLP 64-20-10 on random digits, at batch 1347 and batch 32, plain and watched.

Run: OMP_NUM_THREADS=1 python benchmarks/updates_overhead.py
Each watched run stands between two plain ones; the figure is the median of its time over theirs, in seconds of the
processor, which other work on the machine moves least.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import process_time

import numpy as np

from backpropdoctor.checks.updates.watch import watch_updates

Arrays = dict[str, np.ndarray]


def parameters(rng: np.random.Generator) -> Arrays:
    return {
        "W1": 0.1 * rng.standard_normal((20, 64)),
        "b1": np.zeros((20, 1)),
        "W2": 0.1 * rng.standard_normal((10, 20)),
        "b2": np.zeros((10, 1)),
    }


def gradients(p: Arrays, x: np.ndarray, y: np.ndarray) -> tuple[float, Arrays]:
    z = p["W1"] @ x + p["b1"]
    h = np.maximum(z, 0)
    a = 1 / (1 + np.exp(-(p["W2"] @ h + p["b2"])))
    loss = float(-np.sum(y * np.log(a) + (1 - y) * np.log(1 - a)) / x.shape[1])
    d2 = (a - y) / x.shape[1]
    d1 = (p["W2"].T @ d2) * (z > 0)
    return loss, {
        "dW1": d1 @ x.T,
        "db1": d1.sum(1, keepdims=True),
        "dW2": d2 @ h.T,
        "db2": d2.sum(1, keepdims=True),
    }


def train(batch: int, steps: int, watch: Callable[[Arrays], watch_updates] | None) -> tuple[float, int]:
    """Seconds of processor time of a run, and how many steps the watch looked at."""
    rng = np.random.default_rng(0)
    p = parameters(rng)
    x = rng.random((64, batch))
    y = np.eye(10)[rng.integers(0, 10, batch)].T
    if watch is None:
        start = process_time()
        for _ in range(steps):
            loss, g = gradients(p, x, y)
            for key in p:
                p[key] -= 0.05 * g["d" + key]
        return process_time() - start, 0
    start = process_time()
    with watch(p) as watched:
        for _ in range(steps):
            loss, g = gradients(p, x, y)
            for key in p:
                p[key] -= 0.05 * g["d" + key]
            watched.step(grads=g, loss=loss)
    seconds = process_time() - start
    assert not watched.findings, watched.findings
    return seconds, watched.looked_at


def main() -> None:
    ways: dict[str, Callable[[Arrays], watch_updates]] = {
        "every=None (the watch chooses)": lambda p: watch_updates(p),
        "every=10": lambda p: watch_updates(p, every=10),
        "every=1": lambda p: watch_updates(p, every=1),
    }
    print("| batch | steps | watch | steps looked at | overhead |\n|---|---|---|---|---|")
    for batch, steps, rounds in ((1347, 200, 25), (32, 4000, 15)):
        found: dict[str, list[float]] = {name: [] for name in ways}
        looked: dict[str, int] = {}
        for _ in range(rounds):
            for name, watch in ways.items():
                before = train(batch, steps, None)[0]
                seconds, looked[name] = train(batch, steps, watch)
                found[name].append(2 * seconds / (before + train(batch, steps, None)[0]))
        for name, ratios in found.items():
            print(f"| {batch} | {steps} | {name} | {looked[name]} | {median(ratios):.3f} |", flush=True)


if __name__ == "__main__":
    main()
