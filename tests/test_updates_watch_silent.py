"""`watch_updates` around a loop that is right: parameters that are meant to stand still, and many healthy runs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from watched_loops import SAMPLES, alarms, data, gradients, loss_of, start

from backpropdoctor.checks.updates.watch import watch_updates

# ------------------------------------------------------------------ what is meant to stand still


@pytest.mark.parametrize("frozen", ["W1", "W*", ["W1"]])
def test_frozen_parameters_are_silent(frozen):
    x, y = data()
    p = start()
    with watch_updates(p, expect_frozen=frozen) as watch:
        for _ in range(5):
            g = gradients(p, x, y)
            for key in ("b1", "W2", "b2"):
                p[key] -= 0.1 * g["d" + key]
            watch.step(grads=g)
    assert watch.findings == []


def test_a_gate_that_starts_at_zero():
    W, gate = np.ones((3, 3)), np.zeros(3)
    x = np.arange(12.0).reshape(4, 3) / 12
    with watch_updates({"W": W, "gate": gate}) as watch:
        for _ in range(6):
            h = x @ W
            e = x + gate * h - 1
            g = {"dW": x.T @ (e * gate), "dgate": (e * h).sum(0)}
            W -= 0.1 * g["dW"]
            gate -= 0.1 * g["dgate"]
            watch.step(grads=g)
    assert watch.findings == []


def test_rows_of_an_embedding_that_no_sample_uses():
    table = np.ones((10, 3))
    with watch_updates({"table": table}) as watch:
        for _ in range(6):
            g = np.zeros((10, 3))
            g[[1, 2]] = 1
            table -= 0.1 * g
            watch.step(grads={"table": g})
    assert watch.findings == []


def test_convergence():
    w = np.ones(3)
    with watch_updates({"w": w}) as watch:
        for _ in range(400):
            g = w.copy()
            w -= 0.5 * g
            watch.step(grads={"w": g})
    assert watch.findings == []


def test_a_warm_up_from_zero():
    w = np.ones(3)
    with watch_updates({"w": w}) as watch:
        for k in range(12):
            g = w.copy()
            w -= 0.01 * k * g
            watch.step(grads={"w": g})
    assert watch.findings == []


def test_gradients_of_several_micro_batches():
    w, total = np.ones(3), np.zeros(3)
    with watch_updates({"w": w}) as watch:
        for k in range(16):
            total += 0.25 * w
            if k % 4 == 3:
                w -= 0.1 * total
            watch.step(grads={"w": total})
            if k % 4 == 3:
                total[:] = 0
    assert watch.findings == []


def test_a_look_before_the_first_backward_pass():
    with watch_updates({"w": np.ones(3)}) as watch:
        watch.step(grads={"w": np.zeros(3)})
    assert watch.findings == []


def test_a_non_finite_value_is_the_tracers():
    w = np.ones(3)
    with watch_updates({"w": w, "v": np.ones(2)}) as watch:
        for _ in range(4):
            w += np.inf
            watch.step()
    assert watch.findings == []
    assert watch.notes[0] == "`w` is not finite in step 0: `trace_nonfinite` finds where that begins"


# ------------------------------------------------------------------ healthy runs


@dataclass
class Optimiser:
    kind: str
    lr: float
    v: dict = field(default_factory=dict)
    s: dict = field(default_factory=dict)
    t: int = 0

    def step(self, p, g):
        self.t += 1
        for key, w in p.items():
            d = g["d" + key]
            kept = self.v.setdefault(key, np.zeros_like(w))
            if self.kind == "momentum":
                kept *= 0.9
                kept += d
                d = kept
            elif self.kind == "adam":
                square = self.s.setdefault(key, np.zeros_like(w))
                kept += 0.1 * (d - kept)
                square += 0.01 * (d * d - square)
                unbiased = square / (1 - 0.99**self.t)
                d = kept / (1 - 0.9**self.t) / (np.sqrt(unbiased) + 1e-3)
            w -= (self.lr * d).astype(w.dtype)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_healthy_runs_raise_no_alarm(activation, dtype, kind, seed):
    x, y = data(dtype)
    p = start(dtype, seed)
    optimiser = Optimiser(kind, {"sgd": 0.1, "momentum": 0.02, "adam": 0.02}[kind])
    first = loss_of(p, x, y, activation)
    with watch_updates(p, every=1) as watch:
        for k in range(60):
            rows = np.random.default_rng(k).permutation(SAMPLES)[:12]
            g = gradients(p, x[rows], y[rows], activation)
            loss = loss_of(p, x[rows], y[rows], activation)
            optimiser.step(p, g)
            watch.step(grads=g, loss=loss)
    assert loss_of(p, x, y, activation) < first
    assert alarms(watch) == []
