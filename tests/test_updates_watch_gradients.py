"""`watch_updates` around a loop: gradients that are zero, in lockstep, old, piled up, or lead up the loss."""

from __future__ import annotations

import numpy as np
import pytest
from watched_loops import HIDDEN, INPUTS, OUTPUTS, codes, data, descend, gradients, loss_of, start

from backpropdoctor.checks.updates.watch import watch_updates

# ------------------------------------------------------------------ zero gradients


@pytest.mark.parametrize(
    ("depends", "code"), [(True, "BD316"), (False, "BD315"), (None, "BD325")], ids=["wrong", "without", "unknown"]
)
def test_a_gradient_that_is_exactly_zero(depends, code):
    x, y = data()
    p = start()
    p["c"] = np.ones(OUTPUTS)

    def loss():
        shift = p["c"] if depends else 0
        return float(((np.tanh(x @ p["W1"]) @ p["W2"] + shift - y) ** 2).sum())

    with watch_updates(p) as watch:
        for _ in range(5):
            g = gradients(p, x, y) | {"dc": np.zeros(OUTPUTS)}
            descend(p, g)
            watch.step(grads=g, loss=loss if depends is not None else None)
    assert [(f.code, f.tensors) for f in watch.findings] == [(code, ("c",))]


def test_poking_leaves_the_parameters_as_they_are():
    c = np.arange(3.0)
    w = np.ones(2)
    with watch_updates({"c": c, "w": w}) as watch:
        for _ in range(4):
            w -= 0.1
            watch.step(grads={"c": np.zeros(3), "w": np.ones(2)}, loss=lambda: float(c.sum()))
    assert codes(watch) == ["BD316"]
    assert c.tolist() == [0, 1, 2]


# ------------------------------------------------------------------ lockstep, aliases, old gradients, direction


@pytest.mark.parametrize("value", [0.0, 0.5, None])
def test_units_in_lockstep(value):
    x, y = data()
    p = start()
    if value is not None:
        p["W1"] = np.full((INPUTS, HIDDEN), value)
        p["W2"] = np.full((HIDDEN, OUTPUTS), value)
    with watch_updates(p) as watch:
        for _ in range(6):
            g = gradients(p, x, y)
            descend(p, g)
            watch.step(grads=g)
    assert codes(watch) == ([] if value is None else ["BD317"])
    assert "W1" in watch.findings[0].tensors if watch.findings else True


def test_zero_weights_in_one_layer_only_are_fine():
    x, y = data()
    p = start()
    p["W2"] = np.zeros((HIDDEN, OUTPUTS))
    with watch_updates(p) as watch:
        for _ in range(6):
            g = gradients(p, x, y)
            descend(p, g)
            watch.step(grads=g)
    assert watch.findings == []


@pytest.mark.parametrize("copy", [True, False])
def test_one_array_under_two_names(copy):
    b = np.zeros(3)
    p = {"W": np.ones((3, 3)), "b1": b, "b2": b.copy() if copy else b}
    rng = np.random.default_rng(0)
    with watch_updates(p) as watch:
        for _ in range(4):
            g = {"W": rng.standard_normal((3, 3)), "b1": rng.standard_normal(3), "b2": rng.standard_normal(3)}
            for k in p:
                p[k] -= 0.1 * g[k]
            watch.step(grads=g)
    assert [(f.code, f.tensors) for f in watch.findings] == ([] if copy else [("BD318", ("b1", "b2"))])


def test_tied_weights_are_meant():
    W = np.arange(6.0).reshape(2, 3)
    p = {"encode": W, "decode": W.T}
    with watch_updates(p) as watch:
        for _ in range(4):
            g = np.ones((2, 3))
            W -= 0.1 * g
            watch.step(grads={"encode": g, "decode": g.T})
    assert watch.findings == []


@pytest.mark.parametrize("stale", [True, False])
def test_gradients_that_are_never_computed_again(stale):
    x, y = data()
    p = start()
    g = gradients(p, x, y)
    with watch_updates(p) as watch:
        for _ in range(8):
            loss = loss_of(p, x, y)
            if not stale:
                g = gradients(p, x, y)
            descend(p, g)
            watch.step(grads=g, loss=loss)
    assert codes(watch) == (["BD319"] if stale else [])


def test_a_loss_that_is_a_straight_line_has_one_gradient():
    w = np.zeros(3)
    c = np.array([1.0, 2.0, -1.0])
    with watch_updates({"w": w}) as watch:
        for _ in range(8):
            loss = float(c @ w)
            w -= 0.1 * c
            watch.step(grads={"w": c}, loss=loss)
    assert watch.findings == []


@pytest.mark.parametrize("cleared", [True, False])
def test_gradients_that_pile_up(cleared):
    x, y = data()
    p = start()
    g = {"d" + k: np.zeros_like(v) for k, v in p.items()}
    with watch_updates(p) as watch:
        for _ in range(8):
            fresh = gradients(p, x, y)
            for key in g:
                g[key] = fresh[key] if cleared else g[key] + fresh[key]
            descend(p, g, lr=1e-4)
            watch.step(grads=g)
    assert codes(watch) == ([] if cleared else ["BD320"])


@pytest.mark.parametrize("sign", [1, -1])
def test_steps_up_the_loss(sign):
    x, y = data()
    p = start()
    with watch_updates(p) as watch:
        for _ in range(8):
            loss = loss_of(p, x, y)
            g = gradients(p, x, y)
            for key in p:
                p[key] += sign * 0.01 * g["d" + key]
            watch.step(grads=g, loss=loss)
    assert codes(watch) == (["BD321"] if sign > 0 else [])


def test_a_gradient_stored_with_the_other_sign_is_descent():
    x, y = data()
    p = start()
    with watch_updates(p) as watch:
        for _ in range(8):
            loss = loss_of(p, x, y)
            g = {k: -v for k, v in gradients(p, x, y).items()}
            for key in p:
                p[key] += 0.01 * g["d" + key]
            watch.step(grads=g, loss=loss)
    assert watch.findings == []
