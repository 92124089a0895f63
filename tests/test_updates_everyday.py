"""The quick look of later steps counts what a full look in every step would count, however the parameters are held."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from backpropdoctor.checks.updates import watch as watch_module
from backpropdoctor.checks.updates.everyday import Everyday
from backpropdoctor.checks.updates.watch import watch_updates

STEPS = 40


def start():
    rng = np.random.default_rng(0)
    return {"W": rng.standard_normal((3, 2)), "b": np.zeros((1, 2)), "frozen": np.ones(3)}


def gradients(p):
    return {"dW": p["W"] * 0.3, "db": np.cos(p["b"]), "dfrozen": np.ones(3)}


def in_place(watch, steps):
    p = start()
    with watch(p) as watched:
        for k in steps:
            g = gradients(p)
            p["W"] -= 0.1 * g["dW"]
            p["b"] -= 0.1 * g["db"] * (k % 3 == 0)
            watched.step(grads=g)
    return watched


def stored_anew(watch, steps):
    p = start()
    with watch(p) as watched:
        for k in steps:
            g = gradients(p)
            p["W"] = p["W"] - 0.1 * g["dW"]
            p["b"] = p["b"] - 0.1 * g["db"] * (k < 20)
            watched.step(grads=g)
    return watched


def container_rebound(watch, steps):
    p = start()
    with watch(p) as watched:
        for _ in steps:
            g = gradients(p)
            p = {**p, "W": p["W"] - 0.1 * g["dW"], "b": p["b"] - 0.1 * g["db"]}
            watched.step(grads=g)
    return watched


def rebound_later(watch, steps):
    p = start()
    with watch(p) as watched:
        for k in steps:
            g = gradients(p)
            if k == 15:
                p = copy.deepcopy(p)
            p["W"] -= 0.1 * g["dW"]
            watched.step(grads=g)
    return watched


def names_rebound(watch, steps):
    W, b = start()["W"], start()["b"]
    with watch({"W": W, "b": b}) as watched:
        for k in steps:
            dW, db = 0.3 * W, np.cos(b)
            W = W - 0.1 * dW
            if k % 4 == 0:
                b = b - 0.1 * db
            watched.step(grads={"dW": dW, "db": db})
    return watched


class Net:
    def __init__(self):
        self.W, self.b = start()["W"], start()["b"]

    def backward(self):
        self.dW, self.db = 0.3 * self.W, np.zeros_like(self.b)


def of_an_object(watch, steps):
    net = Net()
    with watch(net) as watched:
        for _ in steps:
            net.backward()
            net.W -= 0.1 * net.dW
            watched.step()
    return watched


def in_lists(watch, steps):
    params = [start()["W"], start()["b"]]
    with watch(params) as watched:
        for k in steps:
            g = [0.3 * params[0], np.zeros_like(params[1]) if k < 25 else np.ones_like(params[1])]
            for i in range(2):
                params[i] = params[i] - 0.1 * g[i]
            watched.step(grads=g)
    return watched


def from_a_function(watch, steps):
    p = start()
    with watch(lambda: p) as watched:
        for _ in steps:
            g = gradients(p)
            p["W"] -= 0.1 * g["dW"]
            watched.step(grads=g)
    return watched


def drifts_late(watch, steps):
    p = start()
    with watch(p) as watched:
        for k in steps:
            g = gradients(p)
            p["W"] -= 0.1 * g["dW"]
            if k == 20:
                p["frozen"] = p["frozen"] - np.ones((3, 1))
            watched.step(grads=g)
    return watched


def grows_a_gradient(watch, steps):
    p = start()
    with watch(p) as watched:
        for k in steps:
            g = {"dW": 0.3 * p["W"]}
            if k > 12:
                g["dfrozen"] = np.ones(3)
            p["W"] -= 0.1 * g["dW"]
            watched.step(grads=g)
    return watched


def loses_a_parameter(watch, steps):
    p = start()
    with watch(p) as watched:
        for k in steps:
            g = gradients(p)
            p["W"] -= 0.1 * g["dW"]
            if k == 20:
                del p["frozen"]
            watched.step(grads=g)
    return watched


LOOPS = [
    in_place,
    stored_anew,
    container_rebound,
    rebound_later,
    names_rebound,
    of_an_object,
    in_lists,
    from_a_function,
    drifts_late,
    grows_a_gradient,
    loses_a_parameter,
]


def told(watched):
    trails = watched._history.trails
    return {n: (t.changed, t.samples, t.unchanged, t.nonzero > 0, t.last.shape) for n, t in trails.items()}, [
        (f.code, f.line, f.message, f.tensors) for f in watched.findings
    ]


@pytest.mark.parametrize("loop", LOOPS, ids=lambda f: f.__name__)
def test_quick_looks_count_what_full_ones_count(loop, monkeypatch):
    quick = loop(lambda p: watch_updates(p, every=1), range(STEPS))
    monkeypatch.setattr(watch_module.Everyday, "after", lambda *_: None)
    full = loop(lambda p: watch_updates(p, every=1), range(STEPS))
    assert told(quick) == told(full)
    assert quick.looked_at == quick.steps == STEPS


@pytest.mark.parametrize("loop", [in_place, stored_anew, names_rebound, of_an_object, in_lists])
def test_the_quick_look_is_what_looks(loop, monkeypatch):
    looks = []
    look = Everyday.look
    monkeypatch.setattr(Everyday, "look", lambda self, *a: looks.append(look(self, *a)) or looks[-1])
    loop(lambda p: watch_updates(p, every=1), range(STEPS))
    assert len(looks) > STEPS - 10 and all(looks)


def test_a_nan_that_comes_late_silences():
    p = start()
    with watch_updates(p, every=1) as watched:
        for k in range(STEPS):
            g = gradients(p)
            p["W"] -= np.nan if k == 13 else 0.1 * g["dW"]
            watched.step(grads=g)
    assert watched.findings == []
    assert any("not finite" in note for note in watched.notes)


def test_the_last_bit_of_one_element_counts():
    p = {"W": np.ones((30, 30)), "b": np.ones(3)}
    with watch_updates(p, every=1) as watched:
        for _ in range(STEPS):
            p["b"] -= 0.01
            p["W"][29, 29] = np.nextafter(p["W"][29, 29], 2)
            watched.step(grads={"dW": p["W"], "db": p["b"]})
    assert watched._history.trails["W"].changed == STEPS
