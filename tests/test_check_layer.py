"""check_layer and lists of layers: every way people write forward and backward, right and wrong."""

from __future__ import annotations

import numpy as np
import pytest

import backpropdoctor as bd
from backpropdoctor.api import check_layers

RNG = np.random.default_rng(5)
X = RNG.standard_normal((6, 3))
Y = RNG.standard_normal((6, 2))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def affine_forward(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dx = (dout @ w.T).reshape(x.shape)
    dw = x.reshape(len(x), -1).T @ dout
    db = dout.sum(0)
    return dx, dw, db


AFFINE = (RNG.standard_normal((4, 3, 2)), RNG.standard_normal((6, 5)), RNG.standard_normal(5))


def verdicts(report):
    return {c.tensor: c.verdict for c in report.checked}


def test_out_and_cache():
    report = bd.check_layer(affine_forward, affine_backward, *AFFINE)
    assert report.ok and verdicts(report) == {"x": "right", "w": "right", "b": "right"}
    assert report.target == "affine_forward" and {c.kind for c in report.checked} == {"input"}


@pytest.mark.parametrize(("index", "name"), list(enumerate("xwb")))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_each_wrong_gradient_is_named(index, name, dtype):
    def wrong(dout, cache):
        grads = list(affine_backward(dout, cache))
        grads[index] = grads[index] * 1.5
        return tuple(grads)

    report = bd.check_layer(affine_forward, wrong, *(a.astype(dtype) for a in AFFINE))
    assert report.wrong == (name,) and report.findings[0].code == "BD102"
    assert next(c for c in report.checked if c.tensor == name).ratio == pytest.approx(1.5)


def test_a_wrong_element_is_located():
    def wrong(dout, cache):
        dx, dw, db = affine_backward(dout, cache)
        dw[2, 3] *= 1.5
        return dx, dw, db

    report = bd.check_layer(affine_forward, wrong, *AFFINE)
    assert next(c for c in report.checked if c.tensor == "w").where == "element (2, 3)"


def test_names_of_what_is_returned_count_more_than_its_order():
    def other_order(dout, cache):
        dx, dw, db = affine_backward(dout, cache)
        return db, dw, dx

    assert bd.check_layer(affine_forward, other_order, *AFFINE).ok


def test_gradients_in_a_dict():
    def as_dict(dout, cache):
        return dict(zip(("dx", "dw", "db"), affine_backward(dout, cache), strict=True))

    assert bd.check_layer(affine_forward, as_dict, *AFFINE).ok
    missing = bd.check_layer(affine_forward, lambda dout, cache: {"dx": affine_backward(dout, cache)[0], "dv": dout}, *AFFINE)
    assert "BD406" in {f.code for f in missing.findings}


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    s = e / e.sum(1, keepdims=True)
    return s, s


def test_only_the_diagonal_of_softmax_is_wrong():
    assert bd.check_layer(softmax, lambda dout, s: s * (dout - (dout * s).sum(1, keepdims=True)), X).ok
    assert bd.check_layer(softmax, lambda dout, s: dout * s * (1 - s), X).wrong == ("x",)


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


def test_a_derivative_function_is_multiplied_by_the_cotangent():
    assert bd.check_layer(sigmoid, sigmoid_prime, X).ok

    def d_sigmoid(z):
        return z * (1 - z)

    assert bd.check_layer(sigmoid, d_sigmoid, X).wrong == ("z",)


def lstm(x, prev_h, prev_c, Wx, Wh, b):
    n = prev_h.shape[1]
    a = x @ Wx + prev_h @ Wh + b
    i, f, o = (sigmoid(a[:, k * n : (k + 1) * n]) for k in range(3))
    g = np.tanh(a[:, 3 * n :])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)


def lstm_backward(dnext_h, dnext_c, cache, forget=1.0):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    dc = dnext_c + dnext_h * o * (1 - np.tanh(next_c) ** 2)
    da = np.hstack(
        [
            dc * g * i * (1 - i),
            forget * dc * prev_c * f * (1 - f),
            dnext_h * np.tanh(next_c) * o * (1 - o),
            dc * i * (1 - g**2),
        ]
    )
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, prev_h.T @ da, da.sum(0)


LSTM = tuple(RNG.standard_normal(s) for s in ((2, 4), (2, 3), (2, 3), (4, 12), (3, 12), (12,)))


def test_several_inputs_and_outputs():
    report = bd.check_layer(lstm, lstm_backward, *LSTM)
    assert report.ok and [c.tensor for c in report.checked] == ["x", "prev_h", "prev_c", "Wx", "Wh", "b"]
    wrong = bd.check_layer(lstm, lambda dnext_h, dnext_c, cache: lstm_backward(dnext_h, dnext_c, cache, forget=0.0), *LSTM)
    assert set(wrong.wrong) == {"x", "prev_h", "Wx", "Wh", "b"}


class Dense:
    def __init__(self, n, m, bias=1.0, back=1.0):
        self.W, self.b = RNG.standard_normal((n, m)) * 0.5, np.zeros(m)
        self.dW, self.db = np.zeros((n, m)), None
        self.scale, self.bias, self.back = 0.3, bias, back

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW += self.x.T @ dout
        self.db = self.bias * dout.sum(0)
        return self.back * dout @ self.W.T


def test_an_object_keeps_its_gradients_and_is_not_touched():
    layer = Dense(3, 4)
    layer.backward(layer.forward(X))
    before = {k: np.copy(v) for k, v in vars(layer).items()}
    report = bd.check_layer(layer.forward, layer.backward, X)
    assert report.ok and verdicts(report) == {"x": "right", "W": "right", "b": "right"}
    assert all(np.array_equal(before[k], v) for k, v in vars(layer).items())
    assert bd.check(layer, X).ok
    assert bd.check(Dense(3, 4, bias=2.0), X).wrong == ("b",)
    assert bd.check(Dense(3, 4, back=2.0), X).wrong == ("x",)


class Forgetful(Dense):
    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


def test_a_bias_without_a_gradient_is_missed():
    report = bd.check(Forgetful(3, 4), X)
    assert [f.code for f in report.findings] == ["BD405"] and "`b`" in report.findings[0].message
    assert not report.ok


class Boxed(Dense):
    def __init__(self, n, m, factor=1.0):
        self.params = {"W": RNG.standard_normal((n, m)), "b": np.zeros(m)}
        self.grads, self.factor = {}, factor

    def forward(self, x):
        self.cache = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads["W"] = self.factor * self.cache.T @ dout
        self.grads["b"] = dout.sum(0)
        return dout @ self.params["W"].T


def test_params_and_grads_dicts_of_an_object():
    assert bd.check(Boxed(3, 4), X).ok
    assert bd.check(Boxed(3, 4, 2.0), X).wrong == ("params['W']",)


class Parameter:
    def __init__(self, data):
        self.data, self.grad = data, np.zeros_like(data)


class WithParameters:
    def __init__(self, sign=1):
        self.weight, self.sign = Parameter(RNG.standard_normal((3, 2))), sign

    def __call__(self, x):
        self.x = x
        return x @ self.weight.data

    def backward(self, grad_output):
        self.weight.grad += self.sign * self.x.T @ grad_output
        return grad_output @ self.weight.data.T


def test_parameters_with_data_and_grad():
    layer = WithParameters()
    assert bd.check_layer(layer, layer.backward, X).ok and bd.check(layer, X).ok
    assert bd.check(WithParameters(-1), X).wrong == ("weight.data",)


class Fused(Dense):
    first = True
    sign = -1.0

    def backward_pass(self, grad, learning_rate):
        dx = grad @ self.W.T
        self.W += self.sign * learning_rate * self.x.T @ grad
        self.b -= learning_rate * grad.sum(0)
        return dx if self.first else grad @ self.W.T


def test_a_backward_pass_that_updates_as_well():
    layer = Fused(3, 4)
    before = layer.W.copy()
    report = bd.check_layer(layer.forward, layer.backward_pass, X)
    assert report.ok and "read off the update" in report.notes[0]
    assert layer.W.tobytes() == before.tobytes()
    assert set(verdicts(report)) == {"x", "W", "b"}


def test_weights_updated_before_they_are_used():
    layer = Fused(3, 4)
    layer.first = False
    assert bd.check_layer(layer.forward, layer.backward_pass, X).wrong == ("x",)


def test_one_of_two_updates_with_the_wrong_sign():
    layer = Fused(3, 4)
    layer.sign = 1.0
    assert bd.check_layer(layer.forward, layer.backward_pass, X).wrong == ("W",)


class Adding(Dense):
    half = 1.0

    def backward(self, error):
        back = error @ self.W.T
        self.W += 0.1 * self.x.T @ error
        self.b += 0.1 * self.half * error.sum(0)
        return back


def test_an_update_that_adds_the_negative_gradient_is_a_convention():
    report = bd.check(Adding(3, 4), X)
    assert report.ok and "convention" in report.notes[-1]
    other = Adding(3, 4)
    other.half = 0.5
    assert not bd.check(other, X).ok


def test_closures_with_parameters_elsewhere():
    W, kept = RNG.standard_normal((3, 4)), {}

    def forward(x):
        kept["x"] = x
        return x @ W

    def backward(dout):
        return dout @ W.T, kept["x"].T @ dout

    before = W.copy()
    assert bd.check_layer(forward, backward, X, params={"W": W}).ok
    assert W.tobytes() == before.tobytes()
    twice = bd.check_layer(forward, lambda dout: (dout @ W.T, 2 * kept["x"].T @ dout), X, params={"W": W})
    assert twice.wrong == ("W",)


def test_a_forward_pass_that_takes_the_parameters_as_a_dict():
    params = {"W": RNG.standard_normal((3, 4)), "b": np.zeros(4)}

    def forward(x, params):
        return x @ params["W"] + params["b"], (x, params)

    def backward(dout, cache):
        x, params = cache
        return {"dx": dout @ params["W"].T, "dW": x.T @ dout, "db": dout.sum(0)}

    report = bd.check_layer(forward, backward, X, params=params)
    assert report.ok and len(report.checked) == 3
    assert bd.check_layer(forward, lambda d, cache: {**backward(d, cache), "dW": d.T @ X}, X, params=params).findings


def test_arguments_after_the_data_are_options():
    def dropout(x, p, mode="train"):
        mask = (np.arange(x.size).reshape(x.shape) % 3 > 0) / p
        return x * mask, mask

    assert bd.check_layer(dropout, lambda dout, cache: dout * cache, X, 0.5).ok
    assert bd.check_layer(dropout, lambda dout, cache: dout * (cache > 0), X, 0.5).wrong == ("x",)


def test_labels_are_not_differentiated():
    labels = np.array([0, 2, 1, 0, 2, 1])

    def forward(x, y):
        s = softmax(x)[0]
        return -np.mean(np.log(s[np.arange(len(y)), y])), (s, y)

    def backward(cache):
        s, y = cache
        d = s.copy()
        d[np.arange(len(y)), y] -= 1
        return d / len(y)

    report = bd.check_layer(forward, backward, X, labels)
    assert report.ok and verdicts(report) == {"x": "right"}
    assert bd.check_layer(forward, lambda cache: backward(cache) * len(labels), X, labels).checked[0].ratio == pytest.approx(6)


def test_dropout_is_checked_for_one_draw():
    def forward(x):
        mask = np.random.rand(*x.shape) < 0.5
        return x * mask, mask

    state = np.random.get_state()[1].copy()
    report = bd.check_layer(forward, lambda dout, mask: dout * mask, X)
    assert [f.code for f in report.findings] == ["BD901"] and verdicts(report) == {"x": "right"}
    wrong = bd.check_layer(forward, lambda dout, mask: dout, X)
    assert "BD101" in {f.code for f in wrong.findings}
    assert state.shape == np.random.get_state()[1].shape


def test_zero_dimensional_and_empty_shapes():
    assert bd.check_layer(lambda x: (x**2, x), lambda dout, cache: 2 * dout * cache, np.array(3.0)).ok
    assert bd.check_layer(lambda x: (x**2, x), lambda dout, cache: 2 * dout * cache, np.ones((1, 1, 1, 1))).ok
    report = bd.check_layer(lambda x: (x**2, x), lambda dout, cache: 2 * dout * cache, np.ones((0, 3)))
    assert [f.code for f in report.findings] == ["BD412"]


class Tanh:
    def __init__(self, wrong=False):
        self.wrong = wrong

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dout):
        return dout * (1 - (np.tanh(self.y) if self.wrong else self.y) ** 2)


class MSE:
    def __init__(self, factor=2.0):
        self.factor = factor

    def forward(self, pred, y):
        self.pred, self.y = pred, y
        return np.mean((pred - y) ** 2)

    def backward(self):
        return self.factor * (self.pred - self.y) / self.pred.size


def network(*, last=False, first=False, bias=1.0):
    return [Dense(3, 5), Tanh(first), Dense(5, 4), Tanh(last), Dense(4, 2, bias=bias)]


def test_layers_that_are_right():
    assert check_layers(network(), MSE(), X, Y).ok
    assert bd.check(network(), X, Y, loss=MSE()).ok


def test_a_fault_is_told_from_what_it_spoils():
    report = check_layers(network(last=True), MSE(), X, Y)
    assert [(f.code, f.layer) for f in report.findings] == [("BD101", "layers[3] (Tanh)")]
    roots = [t for t, v in verdicts(report).items() if v == "wrong"]
    assert roots == ["output of layers[2]"]
    inherited = {t for t, v in verdicts(report).items() if v == "inherited"}
    assert {"layers[2].W", "layers[0].W", "layers[0].b"} <= inherited == set(report.findings[0].affects)
    assert verdicts(report)["layers[4].W"] == "right"


def test_three_faults_are_all_named():
    report = check_layers(network(last=True, first=True, bias=2.0), MSE(), X, Y)
    assert [f.layer for f in report.findings] == ["layers[4] (Dense)", "layers[3] (Tanh)", "layers[1] (Tanh)"]


def test_a_factor_of_the_loss_is_said_once_beside_a_fault():
    report = check_layers(network(first=True), MSE(12.0), X, Y)
    assert [(f.code, f.layer) for f in report.findings] == [("BD103", "loss"), ("BD101", "layers[1] (Tanh)")]


class Dividing(Dense):
    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout / len(X), dout.sum(0) / len(X)
        return dout @ self.W.T


class Undivided(MSE):
    def backward(self):
        return 2 * (self.pred - self.y) / 2


def test_a_scale_that_the_layers_divide_out_is_a_convention():
    assert check_layers([Dividing(3, 5), Tanh(), Dividing(5, 2)], Undivided(), X, Y).ok
    report = check_layers([Dividing(3, 5), Tanh(True), Dividing(5, 2)], Undivided(), X, Y)
    assert [f.layer for f in report.findings] == ["layers[1] (Tanh)"]


class Plain:
    def __init__(self, n, m):
        self.weights, self.biases = RNG.standard_normal((n, m)), np.zeros((1, m))

    def forward(self, inputs):
        self.inputs = inputs
        self.output = inputs @ self.weights + self.biases

    def backward(self, dvalues):
        self.dweights = self.inputs.T @ dvalues
        self.dbiases = dvalues.sum(0, keepdims=True)
        self.dinputs = dvalues @ self.weights.T


def test_layers_that_return_nothing_and_keep_all():
    class Loss:
        def calculate(self, output, y):
            return np.mean((output - y) ** 2)

        def backward(self, dvalues, y_true):
            self.dinputs = 2 * (dvalues - y_true) / dvalues.size

    report = check_layers([Plain(3, 4), Plain(4, 2)], Loss(), X, Y)
    assert report.ok and len(report.checked) == 7


def test_losses_as_functions():
    pair = (
        (lambda y_true, y_pred: np.mean((y_true - y_pred) ** 2)),
        (lambda y_true, y_pred: 2 * (y_pred - y_true) / y_pred.size),
    )
    assert check_layers(network(), pair, X, Y).ok
    assert check_layers(network(), lambda p, y: (np.mean((p - y) ** 2), 2 * (p - y) / p.size), X, Y).ok
    assert check_layers(network(), lambda p, y: (np.mean((p - y) ** 2), (p - y) / p.size), X, Y).findings[0].code == "BD103"


def test_one_activation_object_used_twice_overwrites_its_cache():
    shared = Tanh()
    report = check_layers([Dense(3, 4), shared, Dense(4, 4), shared, Dense(4, 2)], MSE(), X, Y)
    assert report.findings[0].layer == "layers[1] (Tanh)"


def test_layers_are_not_touched():
    layers = network()
    before = [{k: np.copy(v) for k, v in vars(layer).items()} for layer in layers]
    check_layers(layers, MSE(), X, Y)
    for layer, old in zip(layers, before, strict=True):
        assert set(vars(layer)) == set(old) and all(np.array_equal(old[k], v) for k, v in vars(layer).items())


@pytest.mark.parametrize("x", [1.5, np.float64(1.5)])
def test_a_plain_number_is_an_input_where_there_is_nothing_else(x):
    assert bd.check_layer(lambda x: x**2, lambda g, x: 2 * g * x, x).ok
    report = bd.check_layer(lambda x: x**2, lambda g, x: g * x, x)
    assert [(c.tensor, c.verdict, c.ratio) for c in report.checked] == [("x", "wrong", pytest.approx(0.5))]


def test_a_plain_number_beside_an_array_is_an_option():
    report = bd.check_layer(lambda x, k: k * x, lambda g, x, k: k * g, np.arange(3.0), 2.0)
    assert report.ok and [c.tensor for c in report.checked] == ["x"]
