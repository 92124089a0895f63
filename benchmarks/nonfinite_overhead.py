"""What the watch for NaN and infinity costs: ratios of run times on one net (64-20-10, softmax), against torch and jax.

Every variant runs the same number of steps; rounds are interleaved and the median of the round's ratios is reported, so
that a busy machine shifts all alike. Each ratio is to the same framework without its watch; results are equal bit by bit, or
the run fails. Where torch or jax is absent the table says so. Run: `OMP_NUM_THREADS=1 python benchmarks/nonfinite_overhead.py`.
"""

from __future__ import annotations

import contextlib
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from backpropdoctor.checks.nonfinite.rounds import Watching
from backpropdoctor.checks.nonfinite.watch import NonfiniteWatch
from backpropdoctor.tape.run import run_script

NET = """import numpy as np


def net(batch):
    rng = np.random.RandomState(0)
    X, y = rng.randn(batch, 64), rng.randint(0, 10, batch)
    P = {"W1": rng.randn(64, 20) * 0.1, "b1": np.zeros(20), "W2": rng.randn(20, 10) * 0.1, "b2": np.zeros(10)}
    return X, y, P


def train(X, y, P, steps, lr=0.1):
    rows = np.arange(len(y))
    for step in range(steps):
        Z1 = X @ P["W1"] + P["b1"]
        A1 = np.maximum(Z1, 0)
        Z2 = A1 @ P["W2"] + P["b2"]
        E = np.exp(Z2 - Z2.max(axis=1, keepdims=True))
        S = E / E.sum(axis=1, keepdims=True)
        loss = -np.mean(np.log(S[rows, y]))
        dZ2 = S.copy()
        dZ2[rows, y] -= 1
        dZ2 /= len(y)
        dZ1 = (dZ2 @ P["W2"].T) * (Z1 > 0)
        P["W2"] -= lr * (A1.T @ dZ2)
        P["b2"] -= lr * dZ2.sum(axis=0)
        P["W1"] -= lr * (X.T @ dZ1)
        P["b1"] -= lr * dZ1.sum(axis=0)
    return loss
"""
MAIN = """
import time
X, y, P = net({batch})
before = time.process_time()
train(X, y, P, {steps})
SECONDS = time.process_time() - before
"""


def plain(space: dict[str, Any], batch: int, steps: int) -> tuple[float, bytes]:
    X, y, P = space["net"](batch)
    before = time.process_time()
    space["train"](X, y, P, steps)
    return time.process_time() - before, b"".join(P[k].tobytes() for k in sorted(P))


def watched(space: dict[str, Any], batch: int, steps: int) -> tuple[float, bytes]:
    X, y, P = space["net"](batch)
    before = time.process_time()
    with NonfiniteWatch():
        space["train"](X, y, P, steps)
    return time.process_time() - before, b"".join(P[k].tobytes() for k in sorted(P))


def script(folder: Path, batch: int, steps: int) -> tuple[float, bytes]:
    """The loop's own time inside a script under `watch_script`'s first run."""
    path = folder / "train.py"
    path.write_text(NET + MAIN.format(batch=batch, steps=steps))
    watch = NonfiniteWatch()
    with watch, contextlib.redirect_stdout(io.StringIO()):
        found = run_script(path, policy=Watching(watch, {"P", "W1"}, time.perf_counter() + 60))
    P = found.namespace["P"]
    return found.namespace["SECONDS"], b"".join(P[k].tobytes() for k in sorted(P))


def ratios(variants: dict[str, Callable[[], tuple[float, bytes]]], rounds: int) -> dict[str, float]:
    """Median over the rounds of each variant's time over the first variant's; fails where results differ in one bit."""
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        results = set()
        for name, run in variants.items():
            seconds, result = run()
            times[name].append(seconds)
            results.add(result)
        assert len(results) == 1, "the watch changed a result"
    base = times[next(iter(variants))]
    return {name: statistics.median(t / b for t, b in zip(all_, base, strict=True)) for name, all_ in times.items()}


def torch_ratio(batch: int, steps: int, rounds: int) -> float | None:
    """The same net in torch: `detect_anomaly` over none."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(1)

    def run(anomaly: bool) -> float:
        torch.manual_seed(0)
        X, y = torch.randn(batch, 64), torch.randint(0, 10, (batch,))
        model = torch.nn.Sequential(torch.nn.Linear(64, 20), torch.nn.ReLU(), torch.nn.Linear(20, 10))
        optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
        before = time.process_time()
        with torch.autograd.set_detect_anomaly(anomaly):
            for _ in range(steps):
                optimiser.zero_grad()
                torch.nn.functional.cross_entropy(model(X), y).backward()
                optimiser.step()
        return time.process_time() - before

    run(False)
    return statistics.median(run(True) / run(False) for _ in range(rounds))


def jax_ratio(batch: int, steps: int, rounds: int) -> float | None:
    """The same net in jax: `jax_debug_nans` over none."""
    try:
        import jax
        import jax.numpy as jnp
    except ImportError:
        return None

    def loss(P: Any, X: Any, y: Any) -> Any:
        z = jnp.maximum(X @ P["W1"] + P["b1"], 0) @ P["W2"] + P["b2"]
        return -jnp.mean(jax.nn.log_softmax(z)[jnp.arange(len(y)), y])

    step = jax.jit(lambda P, X, y: jax.tree.map(lambda p, g: p - 0.1 * g, P, jax.grad(loss)(P, X, y)))

    def run(debug: bool) -> float:
        space: dict[str, Any] = {}
        exec(NET, space)
        X, y, P = space["net"](batch)
        jax.config.update("jax_debug_nans", debug)
        P = jax.block_until_ready(step(P, X, y))
        before = time.process_time()
        for _ in range(steps):
            P = step(P, X, y)
        jax.block_until_ready(P)
        return time.process_time() - before

    run(False)
    return statistics.median(run(True) / run(False) for _ in range(rounds))


def main() -> None:
    space: dict[str, Any] = {}
    exec(compile(NET, "net.py", "exec"), space)
    table: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for batch, steps, rounds in ((1347, 200, 15), (32, 1000, 25)):
            found: dict[str, float | None] = dict(
                ratios(
                    {
                        "plain": lambda b=batch, s=steps: plain(space, b, s),  # type: ignore[misc]
                        "`trace_nonfinite`": lambda b=batch, s=steps: watched(space, b, s),  # type: ignore[misc]
                        "`check`: a script under the watch": lambda b=batch, s=steps: script(folder, b, s),  # type: ignore[misc]
                    },
                    rounds,
                )
            )
            for label, peer in (("torch `detect_anomaly`", torch_ratio), ("jax `jax_debug_nans`", jax_ratio)):
                found[label] = peer(batch, max(steps // 5, 20), 7)
            for label, ratio in found.items():
                table.setdefault(label, []).append("not installed" if ratio is None else f"{ratio:.3f}")
    print("| | batch 1347 | batch 32 |\n|---|---|---|")
    for label, row in list(table.items())[1:]:
        print(f"| {label} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
