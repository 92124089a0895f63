"""`watch_updates` around a loop: what it looks at, in whichever container the parameters are."""

from __future__ import annotations

import doctest
from dataclasses import dataclass

import numpy as np
import pytest
from watched_loops import data, descend, gradients, loss_of, start

from backpropdoctor.checks.updates.watch import watch_updates
from backpropdoctor.errors import InputError, UsageError


@pytest.mark.parametrize("every", [None, 1, 7])
def test_a_run_that_learns_is_silent(every):
    x, y = data()
    p = start()
    with watch_updates(p, every=every) as watch:
        for _ in range(60):
            g = gradients(p, x, y)
            loss = loss_of(p, x, y)
            descend(p, g)
            watch.step(grads=g, loss=loss)
    assert watch.findings == []
    assert watch.steps == 60
    assert watch.looked_at == 60 if every == 1 else watch.looked_at < 60
    assert bool(watch.notes) == (every != 1)
    assert set(watch.ratios) == {"W1", "W2"}


def test_without_a_step_call_start_and_end_are_compared():
    x, y = data()
    p = start()
    with watch_updates(p) as watch:
        for _ in range(5):
            g = gradients(p, x, y)
            p["W1"] -= 0.1 * g["dW1"]
            p["W2"] -= 0.1 * g["dW2"]
            p["b2"] -= 0.1 * g["db2"]
    assert [(f.code, f.tensors) for f in watch.findings] == [("BD324", ("b1",))]
    assert watch.findings[0].message == "`b1` never changes"


@dataclass
class Net:
    W: np.ndarray
    b: np.ndarray


class Layer:
    def __init__(self):
        self.W = np.ones((2, 3))
        self.b = np.zeros(3)
        self.x = np.ones((4, 2))
        self.learning_rate = 0.1
        self.dW = np.ones((2, 3))
        self.db = np.ones(3)


CONTAINERS = {
    "dict": (lambda W, b: {"W": W, "b": b}, "b"),
    "list": (lambda W, b: [W, b], "params[1]"),
    "tuple": (lambda W, b: (W, b), "params[1]"),
    "nested": (lambda W, b: {"layer": [W, {"bias": b}]}, "layer[1]['bias']"),
    "dataclass": (Net, "b"),
}


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("dead", [True, False])
def test_whatever_holds_the_parameters(kind, dead):
    make, name = CONTAINERS[kind]
    W, b = np.ones((2, 3)), np.zeros(3)
    params = make(W, b)
    with watch_updates(params) as watch:
        for _ in range(3):
            W -= 0.1
            if not dead:
                b -= 0.1
            watch.step(grads=make(np.ones((2, 3)), np.ones(3)))
    assert [f.tensors for f in watch.findings] == ([(name,)] if dead else [])


def test_of_an_object_only_what_reads_like_a_weight_is_watched():
    layer = Layer()
    with watch_updates(layer) as watch:
        for _ in range(3):
            layer.W -= layer.learning_rate * layer.dW
            watch.step()
    assert [(f.tensors, f.message) for f in watch.findings] == [(("b",), "`b` never changes although its gradient is not zero")]


def test_what_holds_no_parameters_is_refused():
    with pytest.raises(InputError, match="no array"), watch_updates({"name": "net"}):
        pass
    with pytest.raises(UsageError):
        watch_updates([np.ones(2)], every=0)


def test_the_example_of_the_docstring(tmp_path):
    from backpropdoctor.checks.updates import watch as module

    failed, tried = doctest.testmod(module)
    assert tried and not failed
