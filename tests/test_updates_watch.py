"""`watch_updates` around a loop: each cause with its line and its healthy twin, and many healthy runs without an
alarm."""

from __future__ import annotations

import doctest
import inspect
from dataclasses import dataclass, field

import numpy as np
import pytest

from backpropdoctor.checks.updates.watch import watch_updates
from backpropdoctor.errors import InputError, UsageError

INPUTS, HIDDEN, OUTPUTS, SAMPLES = 5, 6, 3, 24


def data(dtype=float):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((SAMPLES, INPUTS))
    y = np.tanh(x @ rng.standard_normal((INPUTS, OUTPUTS)))
    return x.astype(dtype), y.astype(dtype)


def start(dtype=float, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "W1": (0.5 * rng.standard_normal((INPUTS, HIDDEN))).astype(dtype),
        "b1": np.zeros((1, HIDDEN), dtype),
        "W2": (0.5 * rng.standard_normal((HIDDEN, OUTPUTS))).astype(dtype),
        "b2": np.zeros((1, OUTPUTS), dtype),
    }


ACTIVATIONS = {
    "tanh": (np.tanh, lambda h: 1 - h**2),
    "relu": (lambda z: np.maximum(z, 0), lambda h: (h > 0).astype(h.dtype)),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda h: h * (1 - h)),
}


def gradients(p, x, y, kind="tanh"):
    f, slope = ACTIVATIONS[kind]
    h = f(x @ p["W1"] + p["b1"])
    e = (h @ p["W2"] + p["b2"] - y) / np.asarray(len(x), x.dtype)
    dz = (e @ p["W2"].T) * slope(h)
    return {
        "dW1": x.T @ dz,
        "db1": dz.sum(0, keepdims=True),
        "dW2": h.T @ e,
        "db2": e.sum(0, keepdims=True),
    }


def loss_of(p, x, y, kind="tanh"):
    h = ACTIVATIONS[kind][0](x @ p["W1"] + p["b1"])
    return float(((h @ p["W2"] + p["b2"] - y) ** 2).sum() / 2 / len(x))


def descend(p, g, lr=0.1):
    for key in p:
        p[key] -= lr * g["d" + key]


def line_of(text):
    """The line of this file that holds `text` and the mark `# here`."""
    rows = inspect.getsource(inspect.getmodule(line_of)).splitlines()
    found = [n for n, row in enumerate(rows, 1) if text in row and row.rstrip().endswith("# here")]
    assert len(found) == 1, found
    return found[0]


def codes(watch):
    return [f.code for f in watch.findings]


def alarms(watch):
    return [f for f in watch.findings if f.severity != "note"]


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


def test_the_example_of_the_docstring(tmp_path):
    from backpropdoctor.checks.updates import watch as module

    failed, tried = doctest.testmod(module)
    assert tried and not failed


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
