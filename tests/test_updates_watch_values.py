"""`watch_updates` around a loop: new values that go elsewhere, are rounded away, or have another type, shape or key."""

from __future__ import annotations

import numpy as np
import pytest
from watched_loops import alarms, codes, data, gradients, line_of, start

from backpropdoctor.checks.updates.watch import watch_updates

# ------------------------------------------------------------------ where the new values go


def test_names_that_are_rebound_are_followed_where_the_loop_knows_no_container():
    x, y = data()
    W1, b1, W2, b2 = start().values()
    with watch_updates({"W1": W1, "b1": b1, "W2": W2, "b2": b2}) as watch:
        for _ in range(6):
            g = gradients({"W1": W1, "b1": b1, "W2": W2, "b2": b2}, x, y)
            W1 = W1 - 0.1 * g["dW1"]
            b1 = b1 - 0.1 * g["db1"]
            W2 = W2 - 0.1 * g["dW2"]
            b2 = b2 - 0.1 * g["db2"]
            watch.step(grads=g)
    assert watch.findings == []


def test_a_container_made_for_the_watch_under_a_name_is_followed_too():
    W = np.ones((2, 2))
    params = {"W": W}
    with watch_updates(params) as watch:
        for _ in range(4):
            W = W - 0.1 * np.ones((2, 2))
            watch.step(grads={"W": np.ones((2, 2))})
    assert watch.findings == []


def test_a_container_that_is_rebound_is_followed():
    def updated(p, g):
        return {k: p[k] - 0.1 * g["d" + k] for k in p}

    x, y = data()
    p = start()
    with watch_updates(p) as watch:
        for _ in range(6):
            g = gradients(p, x, y)
            p = updated(p, g)
            watch.step(grads=g)
    assert watch.findings == []


def test_a_name_that_leaves_its_container_behind():
    x, y = data()
    p = start()
    W1 = p["W1"]
    with watch_updates(p) as watch:
        for _ in range(6):
            g = gradients(p, x, y)
            W1 = W1 - 0.1 * g["dW1"]  # here
            for key in ("b1", "W2", "b2"):
                p[key] -= 0.1 * g["d" + key]
            watch.step(grads=g)
    assert [(f.code, f.line, f.tensors) for f in watch.findings] == [("BD305", line_of("W1 = W1"), ("W1",))]


def test_a_loop_name_is_no_place():
    x, y = data()
    p = start()
    lr = 0.1
    with watch_updates(p) as watch:
        for _ in range(6):
            g = gradients(p, x, y)
            for w, dw in zip(p.values(), g.values(), strict=True):
                w = w - lr * dw  # here
            watch.step(grads=g)
    assert codes(watch) == ["BD305"]
    assert watch.findings[0].line == line_of("w = w - lr * dw")
    assert watch.findings[0].tensors == ("W1", "b1", "W2", "b2")


def test_a_loop_name_whose_value_is_put_back_is_fine():
    x, y = data()
    p = start()
    lr = 0.1
    with watch_updates(p) as watch:
        for _ in range(6):
            g = gradients(p, x, y)
            for key, w, dw in zip(p, list(p.values()), g.values(), strict=True):
                w = w - lr * dw
                p[key] = w
            watch.step(grads=g)
    assert watch.findings == []


@pytest.mark.parametrize("layers", [2, 4])
def test_a_loop_over_nothing(layers):
    x, y = data()
    p = start()
    L = len(p) // layers
    with watch_updates(p) as watch:
        for _ in range(6):
            g = gradients(p, x, y)
            for i in range(1, L + 1 if layers == 2 else L):  # here
                p["W" + str(i)] -= 0.1 * g["dW" + str(i)]
                p["b" + str(i)] -= 0.1 * g["db" + str(i)]
            watch.step(grads=g)
    if layers == 2:
        assert watch.findings == []
        return
    [finding] = watch.findings
    assert finding.code == "BD301"
    assert finding.line == line_of("range(1, L + 1 if")
    assert "runs over nothing" in finding.message
    assert finding.tensors == ("W1", "b1", "W2", "b2")


@pytest.mark.parametrize("lr", [0.0, 0.1])
def test_a_learning_rate_of_zero(lr):
    x, y = data()
    p = start()
    with watch_updates(p) as watch:
        for _ in range(6):
            g = gradients(p, x, y)
            p["W1"] -= lr * g["dW1"]  # here
            for key in ("b1", "W2", "b2"):
                p[key] -= 0.1 * g["d" + key]
            watch.step(grads=g)
    found = [(f.code, f.line, f.tensors) for f in watch.findings]
    assert found == ([] if lr else [("BD307", line_of('p["W1"] -= lr'), ("W1",))])


# ------------------------------------------------------------------ rounding, types, shapes, keys


@pytest.mark.parametrize(
    ("dtype", "lr", "fraction"),
    [
        (np.float16, 1e-4, (0.8, 1)),
        (np.float16, 0.1, None),
        (np.float32, 1e-2, None),
        (np.float32, 3e-8, (0.5, 1)),
    ],
)
def test_updates_lost_to_rounding(dtype, lr, fraction):
    x, y = data(dtype)
    p = start(dtype)
    with watch_updates(p) as watch:
        for _ in range(20):
            g = gradients(p, x, y)
            for key in p:
                p[key] -= (lr * g["d" + key]).astype(dtype)
            watch.step(grads=g)
    if fraction is None:
        assert alarms(watch) == []
        return
    found = {f.code: f for f in watch.findings}
    assert set(found) == {"BD308"}
    finding = found["BD308"]
    assert finding.severity == ("error" if finding.evidence["fraction"] == 1 else "warning")
    assert fraction[0] < finding.evidence["fraction"] <= fraction[1]
    assert finding.evidence["lr"] == pytest.approx(lr, rel=0.05)
    assert "float64" in finding.help or "float32" in finding.help
    assert finding.evidence["wider"]["float64"] == 0


def test_the_learning_rate_that_would_not_lose_the_updates_does_not():
    def run(lr):
        x, y = data(np.float16)
        p = start(np.float16)
        with watch_updates(p) as watch:
            for _ in range(3):
                g = gradients(p, x, y)
                for key in p:
                    p[key] -= (lr * g["d" + key]).astype(np.float16)
                watch.step(grads=g)
        return watch.findings

    [finding] = run(1e-4)
    assert run(finding.evidence["enough"]) == []


@pytest.mark.parametrize("dtype", [int, float])
def test_integer_parameters(dtype):
    w = np.array([3, -2, 5, 1], dtype=dtype)
    with watch_updates({"w": w}) as watch:
        for _ in range(4):
            w[:] = w - 0.1 * np.ones(4)
            watch.step(grads={"w": np.ones(4)})
    assert codes(watch) == (["BD311"] if dtype is int else [])


@pytest.mark.parametrize("keepdims", [True, False])
def test_a_bias_that_grows(keepdims):
    params = {"W": np.ones((3, 2)), "b": np.zeros((3, 1))}
    with watch_updates(params) as watch:
        for _ in range(3):
            dz = np.ones((3, 5))
            db = dz.sum(axis=1, keepdims=keepdims)
            params["W"] = params["W"] - 0.1
            params["b"] = params["b"] - 0.1 * db  # here
            watch.step(grads={"W": np.ones((3, 2)), "b": db})
    found = [(f.code, f.line) for f in watch.findings]
    assert found == ([] if keepdims else [("BD310", line_of('params["b"] = params["b"]'))])
    if not keepdims:
        assert watch.findings[0].message == ("`b` grows from (3, 1) to (3, 3) when it is updated: its gradient has shape (3,)")


def test_a_gradient_of_another_shape_that_fits_is_fine():
    params = {"b": np.zeros((1, 3))}
    with watch_updates(params) as watch:
        for _ in range(3):
            params["b"] = params["b"] - 0.1 * np.ones(3)
            watch.step(grads={"db": np.ones(3)})
    assert watch.findings == []


@pytest.mark.parametrize("key", ["db1", "db_one"])
def test_a_gradient_under_another_key(key):
    x, y = data()
    p = start()
    with watch_updates(p) as watch:
        for _ in range(4):
            g = gradients(p, x, y)
            g[key] = g.pop("db1")
            for name in p:
                if "d" + name in g:
                    p[name] -= 0.1 * g["d" + name]
            watch.step(grads=g)
    found = [(f.code, f.tensors, f.evidence["nearest"]) for f in watch.findings]
    assert found == ([] if key == "db1" else [("BD309", ("b1",), "db_one")])


def test_a_key_error_in_the_block_names_the_nearest_key_and_is_not_swallowed():
    grads = {"dW1": 1.0, "db1": 2.0}
    watch = watch_updates({"W1": np.ones(2)})
    with pytest.raises(KeyError), watch:
        grads["W1"]  # here
    [finding] = watch.findings
    assert (finding.code, finding.line) == ("BD309", line_of('grads["W1"]'))
    assert finding.message == "`grads['W1']` does not exist: the keys are dW1, db1"
    assert finding.help == "is `grads['dW1']` meant?"
