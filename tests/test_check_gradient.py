"""check_gradient on right and wrong gradients, for parameters in every container."""

from __future__ import annotations

import copy
import doctest
import importlib
from collections import namedtuple
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pytest

import backpropdoctor as bd

RNG = np.random.default_rng(7)
X, Y = RNG.standard_normal((12, 4)), RNG.standard_normal((12, 2))
W1, B1 = RNG.standard_normal((4, 5)), RNG.standard_normal(5)
W2, B2 = RNG.standard_normal((5, 2)), RNG.standard_normal(2)


def forward(w1, b1, w2, b2):
    a = np.tanh(X @ w1 + b1)
    return a, a @ w2 + b2


def cost(w1, b1, w2, b2):
    return np.sum((forward(w1, b1, w2, b2)[1] - Y) ** 2) / len(X)


def slopes(w1, b1, w2, b2):
    a, out = forward(w1, b1, w2, b2)
    d2 = 2 * (out - Y) / len(X)
    d1 = (d2 @ w2.T) * (1 - a**2)
    return X.T @ d1, d1.sum(0), a.T @ d2, d2.sum(0)


def loss(p):
    return cost(p["W1"], p["b1"], p["W2"], p["b2"])


def gradient(p):
    return dict(zip(("dW1", "db1", "dW2", "db2"), slopes(p["W1"], p["b1"], p["W2"], p["b2"]), strict=True))


def fresh():
    return {"W1": W1.copy(), "b1": B1.copy(), "W2": W2.copy(), "b2": B2.copy()}


def faulty(name, change):
    def wrong(p):
        g = gradient(p)
        g["d" + name] = change(g["d" + name])
        return g

    return wrong


def verdicts(report):
    return {c.tensor: c.verdict for c in report.checked}


def test_a_right_gradient_passes_with_its_power_and_few_evaluations():
    report = bd.check_gradient(loss, gradient, fresh())
    assert report.ok and report.status == "healthy" and not report.findings
    assert verdicts(report) == dict.fromkeys(("W1", "b1", "W2", "b2"), "right")
    assert report.cost.evaluations <= 60
    assert all("would be missed with p < 1e-6" in c.missed for c in report.checked)
    assert report.loss.name == "loss" and report.loss.source == "declared"


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (0.5, "half of"),
        (2, "twice"),
        (-1, "the negative of"),
        (12, "exactly 12 times"),
        (1 / 12, "exactly 1/12 of"),
        (1.1, "11/10"),
    ],
)
def test_a_factor_is_found_and_said(name, factor, words):
    report = bd.check_gradient(loss, faulty(name, lambda g: factor * g), fresh())
    assert [f.code for f in report.findings] == ["BD102"]
    finding = report.findings[0]
    assert finding.tensors == (name,) and words in finding.message
    row = next(c for c in report.checked if c.tensor == name)
    assert row.verdict == "wrong" and row.ratio == pytest.approx(factor, rel=1e-9)
    assert report.wrong == (name,) and not report.ok and report.exit_status == 1
    assert report.cost.evaluations <= 60


@pytest.mark.parametrize("factor", [1 + 1e-6, 1 + 1e-9])
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_a_tiny_error_of_scale_is_caught_whatever_the_size_of_the_loss(factor, scale):
    def scaled(p):
        return {k: scale * g for k, g in faulty("b1", lambda g: factor * g)(p).items()}

    assert bd.check_gradient(lambda p: scale * loss(p), scaled, fresh()).wrong == ("b1",)


def test_one_factor_for_all_is_one_finding():
    report = bd.check_gradient(loss, lambda p: {k: 12 * g for k, g in gradient(p).items()}, fresh())
    assert [f.code for f in report.findings] == ["BD103"]
    assert "all 4 gradients are exactly 12 times" in report.findings[0].message
    assert not report.ok


def test_a_single_wrong_element_is_found():
    def change(g):
        g = g.copy()
        g[2, 3] += 0.1
        return g

    report = bd.check_gradient(loss, faulty("W1", change), fresh())
    assert [f.code for f in report.findings] == ["BD101"]
    assert next(c for c in report.checked if c.tensor == "W1").where == "element (2, 3)"
    assert report.cost.evaluations <= 60 + 2 * np.log2(20)


def test_a_wrong_row_is_found():
    def change(g):
        g = g.copy()
        g[1] *= 3
        return g

    report = bd.check_gradient(loss, faulty("W1", change), fresh())
    assert next(c for c in report.checked if c.tensor == "W1").where == "row 1"


def test_a_gradient_left_at_zero_is_wrong():
    report = bd.check_gradient(loss, faulty("b2", np.zeros_like), fresh())
    assert report.wrong == ("b2",) and "is zero" in report.findings[0].message


def test_a_gradient_that_is_truly_zero_is_right():
    report = bd.check_gradient(
        lambda p: np.sum(p["w"]), lambda p: {"w": np.ones(2), "v": np.zeros(3)}, {"w": np.ones(2), "v": np.ones(3)}
    )
    assert report.ok and len(report.checked) == 2


Four = namedtuple("Four", "W1 b1 W2 b2")


@dataclass
class Data:
    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray


class Net:
    def __init__(self):
        self.W1, self.b1, self.W2, self.b2 = W1.copy(), B1.copy(), W2.copy(), B2.copy()
        self.lr, self.sizes, self.activation = 0.1, [4, 5, 2], "tanh"
        self.factor = 1.0

    def loss(self):
        return cost(self.W1, self.b1, self.W2, self.b2)

    def backward(self):
        self.dW1, self.db1, self.dW2, self.db2 = slopes(self.W1, self.b1, self.W2, self.b2)
        self.dW2 = self.factor * self.dW2


NESTED = {"one": {"W": W1, "b": B1}, "two": [W2, B2]}
LIST_OF_DICTS = [{"W": W1, "b": B1}, {"W": W2, "b": B2}]


def as_dict(w1, b1, w2, b2):
    return dict(zip(("w1", "b1", "w2", "b2"), slopes(w1, b1, w2, b2), strict=True))


def nested(p):
    return p["one"]["W"], p["one"]["b"], *p["two"]


def nested_slopes(p):
    dw1, db1, dw2, db2 = slopes(*nested(p))
    return {"one": {"dW": dw1, "db": db1}, "two": (dw2, db2)}


def in_list(p):
    return p[0]["W"], p[0]["b"], p[1]["W"], p[1]["b"]


def in_list_slopes(p):
    dw1, db1, dw2, db2 = slopes(*in_list(p))
    return [{"dW": dw1, "db": db1}, {"dW": dw2, "db": db2}]


def fields(p):
    return p.W1, p.b1, p.W2, p.b2


CONTAINERS = [
    ("list", [W1, B1, W2, B2], lambda p: cost(*p), lambda p: list(slopes(*p))),
    ("tuple", (W1, B1, W2, B2), lambda p: cost(*p), lambda p: slopes(*p)),
    ("unpacked", (W1, B1, W2, B2), cost, slopes),
    ("keywords", {"w1": W1, "b1": B1, "w2": W2, "b2": B2}, cost, as_dict),
    ("named tuple", Four(W1, B1, W2, B2), lambda p: cost(*p), lambda p: Four(*slopes(*p))),
    ("dataclass", Data(W1, B1, W2, B2), lambda p: cost(*fields(p)), lambda p: Data(*slopes(*fields(p)))),
    ("nested", NESTED, lambda p: cost(*nested(p)), nested_slopes),
    ("list of dicts", LIST_OF_DICTS, lambda p: cost(*in_list(p)), in_list_slopes),
    ("mapping proxy", MappingProxyType(fresh()), loss, gradient),
    ("object", Net(), lambda n: n.loss(), lambda n: n.backward()),
    ("one array", W1, lambda w: cost(w, B1, W2, B2), lambda w: slopes(w, B1, W2, B2)[0]),
    ("loss and gradients", (W1, B1, W2, B2), lambda p: cost(*p), lambda p: (cost(*p), slopes(*p))),
    ("both from both", fresh(), lambda p: (loss(p), gradient(p)), lambda p: (loss(p), gradient(p))),
    (
        "a python list of numbers",
        W1.tolist(),
        lambda w: cost(np.array(w), B1, W2, B2),
        lambda w: slopes(np.array(w), B1, W2, B2)[0].tolist(),
    ),
]


@pytest.mark.parametrize(("name", "params", "f", "g"), CONTAINERS, ids=[c[0] for c in CONTAINERS])
def test_every_container_is_read(name, params, f, g):
    report = bd.check_gradient(f, g, params)
    assert report.ok, report.findings
    assert len(report.checked) == (1 if name.startswith(("one", "a python")) else 4)


@pytest.mark.parametrize(("name", "params", "f", "g"), CONTAINERS, ids=[c[0] for c in CONTAINERS])
def test_every_container_has_a_failing_twin(name, params, f, g):
    twice = doubled(f) if name in ("keywords", "unpacked") else lambda p: 2 * np.array(scalar(f(p)))
    report = bd.check_gradient(twice, g, params)
    assert not report.ok and report.findings[0].code in ("BD102", "BD103"), report.findings
    assert {c.ratio for c in report.checked} == {0.5} or all(c.ratio == pytest.approx(0.5) for c in report.checked)


def scalar(value):
    return value[0] if isinstance(value, tuple) else value


def doubled(f):
    def twice(w1, b1, w2, b2):
        return 2 * f(w1, b1, w2, b2)

    return twice


def test_methods_of_the_object_itself():
    net = Net()
    assert bd.check_gradient(net.loss, net.backward, net).ok
    assert not hasattr(net, "dW1")
    net.factor = 3.0
    report = bd.check_gradient(net.loss, net.backward, net)
    assert report.wrong == ("W2",) and report.checked[2].ratio == pytest.approx(3)


def test_functions_without_arguments_read_the_parameters_where_they_stand():
    p = fresh()
    assert bd.check_gradient(lambda: loss(p), lambda: gradient(p), p).ok
    assert bd.check_gradient(lambda: loss(p), lambda: faulty("W2", lambda g: 0.9 * g)(p), p).wrong == ("W2",)


def test_functions_that_ignore_their_argument_are_checked_in_place():
    net = Net()
    params = {"W1": net.W1, "b1": net.b1}
    assert bd.check_gradient(lambda p: net.loss(), lambda p: (net.backward(), {"W1": net.dW1, "b1": net.db1})[1], params).ok
    wrong = bd.check_gradient(lambda p: net.loss(), lambda p: {"W1": net.dW1, "b1": 2 * net.db1}, params)
    assert wrong.wrong == ("b1",)


def test_scalars_are_parameters():
    report = bd.check_gradient(
        lambda p: (p["w"] * 3 + p["b"] - 1) ** 2,
        lambda p: {"d_w": 6 * (p["w"] * 3 + p["b"] - 1), "d_b": 2 * (p["w"] * 3 + p["b"] - 1)},
        {"w": 0.5, "b": 2},
    )
    assert report.ok
    assert bd.check_gradient(lambda w, b: w * b, lambda w, b: (b, w), (2.0, 5.0)).ok
    assert bd.check_gradient(lambda w, b: w * b, lambda w, b: (b, 2 * w), (2.0, 5.0)).wrong == ("params[1]",)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_narrow_parameters_are_checked_against_float64_where_the_code_takes_it(dtype):
    params = {k: v.astype(dtype) for k, v in fresh().items()}
    assert bd.check_gradient(loss, gradient, params).ok
    assert bd.check_gradient(loss, faulty("W2", lambda g: g * dtype(1.1)), params).wrong == ("W2",)
    assert bd.check_gradient(loss, faulty("W2", np.negative), params).wrong == ("W2",)


def test_code_that_computes_in_float32_whatever_it_is_given():
    def narrow(p):
        return np.float32(loss({k: np.real(v).astype(np.float32) for k, v in p.items()}))

    def slope(p):
        return {k: v.astype(np.float32) for k, v in gradient({k: v.astype(np.float32) for k, v in p.items()}).items()}

    assert bd.check_gradient(narrow, slope, fresh()).status != "faulty"
    assert bd.check_gradient(narrow, lambda p: {**slope(p), "dW1": 2 * slope(p)["dW1"]}, fresh()).wrong == ("W1",)


@pytest.mark.parametrize("wrong", [float, np.real, np.abs], ids=["float", "real", "abs"])
def test_a_loss_that_complex_numbers_do_not_pass(wrong):
    assert bd.check_gradient(lambda p: wrong(loss(p)), gradient, fresh()).ok
    report = bd.check_gradient(lambda p: wrong(loss(p)), faulty("b2", lambda g: 1.001 * g), fresh())
    assert report.wrong == ("b2",)


def test_the_seed_and_the_report_repeat():
    first, second = (bd.check_gradient(loss, faulty("W1", lambda g: g + 1e-3), fresh(), seed=3) for _ in range(2))
    assert first.checked == second.checked and first.findings == second.findings
    assert bd.check_gradient(loss, gradient, fresh(), seed=4).checked != first.checked


class Later(Executor):
    def submit(self, fn, /, *args, **kwargs):
        future: Future = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@pytest.mark.parametrize(
    "make",
    [Later, lambda: ThreadPoolExecutor(3), lambda: ProcessPoolExecutor(2)],
    ids=["later", "threads", "processes"],
)
def test_an_executor_gives_the_same_report(make):
    alone = bd.check_gradient(loss, gradient, fresh())
    with make() as pool:
        shared = bd.check_gradient(loss, gradient, fresh(), executor=pool)
    assert shared.checked == alone.checked and not shared.notes


def test_functions_that_cannot_be_sent_are_checked_here():
    with ProcessPoolExecutor(1) as pool:
        report = bd.check_gradient(lambda p: loss(p), lambda p: gradient(p), fresh(), executor=pool)
    assert report.ok and "cannot be sent" in report.notes[0]


def test_nothing_is_printed(capsys):
    def loud(p):
        print("loss!")
        return loss(p)

    assert bd.check_gradient(loud, gradient, fresh()).ok
    assert capsys.readouterr().out == ""


def test_the_line_is_that_of_the_gradient_function():
    report = bd.check_gradient(loss, faulty("b2", lambda g: 2 * g), fresh())
    assert report.findings[0].span.text.strip() == "def wrong(p):"
    assert report.findings[0].path == __file__


def test_a_flat_bias_of_the_same_size_is_the_same_gradient():
    params = {"b": np.ones((1, 3))}
    assert bd.check_gradient(lambda p: np.sum(p["b"] ** 2), lambda p: {"db": 2 * p["b"].sum(0)}, params).ok
    assert not bd.check_gradient(lambda p: np.sum(p["b"] ** 2), lambda p: {"db": 3 * p["b"].sum(0)}, params).ok


def test_an_adding_gradient_is_said_and_checked():
    total = {k: np.zeros_like(v) for k, v in fresh().items()}

    def adding(p):
        for k, g in gradient(p).items():
            total[k[1:]] += g
        return {k: v.copy() for k, v in total.items()}

    report = bd.check_gradient(loss, adding, fresh())
    assert [f.code for f in report.findings] == ["BD413"] and "adds up" in report.findings[0].message
    assert all(c.verdict == "right" for c in report.checked)


def test_fixtures_of_two_programs(pieces):
    digits = pieces("two_layer_digits")
    report = bd.check_gradient(digits.loss, digits.gradient, digits.params)
    assert [c.ratio for c in report.checked] == pytest.approx([0.5] * 4)
    right = pieces("two_layer_digits_right")
    assert bd.check_gradient(right.loss, right.gradient, right.params).ok
    three = pieces("three_or_seven")
    rows = {c.tensor: c for c in bd.check_gradient(three.loss, three.gradient, three.params).checked}
    assert rows["W3"].ratio == pytest.approx(three.samples) and rows["b3"].ratio == pytest.approx(three.samples)
    assert all(rows[n].verdict == "wrong" and rows[n].ratio is None for n in ("W2", "b2", "W1", "b1"))


@pytest.mark.parametrize(
    "name", ["planar_classifier", "planar_classifier_right", "mnist_softmax", "deep_images", "three_or_seven_right"]
)
def test_healthy_fixtures_have_nothing_wrong(pieces, name):
    p = pieces(name)
    assert bd.check_gradient(p.loss, p.gradient, p.params).ok


def test_parameters_are_not_even_copied_back(pieces):
    p = fresh()
    before = copy.deepcopy(p)
    held = {k: id(v) for k, v in p.items()}
    bd.check_gradient(loss, faulty("W1", lambda g: g + 1), p)
    assert {k: id(v) for k, v in p.items()} == held
    assert all(p[k].tobytes() == before[k].tobytes() for k in p)


@pytest.mark.parametrize("p", [np.arange(3.0), 1.5])
def test_a_gradient_may_be_the_parameters_themselves(p):
    def squares(p):
        return 0.5 * np.sum(np.square(p))

    assert bd.check_gradient(squares, lambda p: p, p).ok
    assert not bd.check_gradient(lambda p: 2 * squares(p), lambda p: p, p).ok


@pytest.mark.parametrize("module", ["api", "load.cases", "load.conventions"])
def test_the_examples_in_docstrings(module):
    found = doctest.testmod(importlib.import_module(f"backpropdoctor.{module}"))
    assert found.attempted and not found.failed
