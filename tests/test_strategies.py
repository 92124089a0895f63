"""The strategies: what they draw is what they promise; a wrong layer shrinks to the smallest shape that shows it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

hypothesis = pytest.importorskip("hypothesis")

from hypothesis import HealthCheck, find, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from backpropdoctor import assert_gradients, assert_layer, check_gradient  # noqa: E402
from backpropdoctor.asserts import CheckFailed, CheckUndecided  # noqa: E402
from backpropdoctor.strategies import (  # noqa: E402
    MARGIN,
    OBJECTIVES,
    arrays,
    batches,
    dtypes,
    inputs,
    layer_sizes,
    networks,
    parameters,
    shapes,
)
from backpropdoctor.tree import flatten, replaced  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
few = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


# -- layers to test, right and wrong ---------------------------------------------------------------------------------


def linear(x, w, b):
    return x @ w + b, (x, w)


def linear_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def bias_by_mean(dout, cache):
    """Wrong from two samples on."""
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.mean(axis=0)


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return p, p


def softmax_backward(dout, p):
    return p * (dout - (dout * p).sum(axis=1, keepdims=True))


def softmax_diagonal(dout, p):
    """Wrong from two classes on."""
    return dout * p * (1 - p)


def failure_of(test) -> tuple[Exception, list]:
    """What a property test raises at its last, smallest example, and that example."""
    seen: list = []
    with pytest.raises(CheckFailed) as caught:
        test(seen)
    return caught.value, seen[-1]


# -- the three lines -------------------------------------------------------------------------------------------------


@few
@given(inputs("n d", "d k", "k"))
def test_a_right_layer_is_right_at_every_shape_and_dtype(drawn):
    assert_layer(linear, linear_backward, *drawn)


@few
@given(inputs("n k"))
def test_a_right_softmax_is_right_at_every_shape_and_dtype(drawn):
    assert_layer(softmax, softmax_backward, *drawn)


def run(drawn_from, forward, backward, seen):
    @settings(max_examples=100, deadline=None, derandomize=True, database=None, print_blob=False)
    @given(drawn_from)
    def test(drawn):
        seen.append(drawn)
        assert_layer(forward, backward, *drawn)

    test()


def test_a_wrong_bias_shrinks_to_two_samples_and_single_sides():
    error, (x, w, b) = failure_of(lambda seen: run(inputs("n d", "d k", "k"), linear, bias_by_mean, seen))
    assert (x.shape, w.shape, b.shape, x.dtype) == ((2, 1), (1, 1), (1,), np.float64)
    assert error.report.wrong == ("b",)


def test_a_wrong_softmax_shrinks_to_one_sample_of_two_classes():
    _, (x,) = failure_of(lambda seen: run(inputs("n k"), softmax, softmax_diagonal, seen))
    assert (x.shape, x.dtype) == ((1, 2), np.float64)


def test_a_fault_of_one_dtype_is_found_at_the_smallest_shape():
    def double(x):
        return 2 * x, x

    def backward(dout, x):
        return 3 * dout if x.dtype == np.float32 else 2 * dout

    _, (x,) = failure_of(lambda seen: run(inputs("n d"), double, backward, seen))
    assert (x.shape, x.dtype) == ((1, 1), np.float32)


def test_an_undecided_example_is_drawn_anew_in_a_property_and_raised_outside():
    noise = np.random.default_rng(0)

    def forward(x):
        return (x * noise.random(x.shape) if len(x) > 1 else 2 * x), x

    def backward(dout, x):
        return 2 * dout

    @settings(max_examples=10, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(inputs("n", max_side=2))
    def test(drawn):
        assert_layer(forward, backward, *drawn)

    test()
    with pytest.raises(CheckUndecided):
        assert_layer(forward, backward, np.array([0.5, 1.0]))


def test_the_first_example_of_a_run_loads_nothing():
    """Hypothesis would call the test flaky: the first example slower than its deadline, the same one again not."""
    code = "import backpropdoctor.strategies, numpy as np, sys\nfrom backpropdoctor import assert_gradients, assert_layer\n"
    code += "before = set(sys.modules)\nassert_layer(np.tanh, lambda g, x: g / np.cosh(x) ** 2, np.ones(2))\n"
    code += "assert_gradients(lambda w: w @ w, lambda w: 2 * w, np.ones(2))\nprint(*set(sys.modules) - before)"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert made.stdout.split() == []


# -- what is drawn ---------------------------------------------------------------------------------------------------


@few
@given(arrays(kinks=(-0.5, 0.0, 1.0), margin=0.05, largest=2.0))
def test_values_keep_away_from_kinks_and_from_saturation(x):
    assert np.abs(x).max(initial=0) <= 2
    for kink in (-0.5, 0.0, 1.0):
        assert np.abs(x - kink).min(initial=9) >= 0.05 - 1e-12


@few
@given(arrays(shape=(40, 40)))
def test_values_are_in_general_position(x):
    assert len(np.unique(x)) == x.size
    assert (x > 0).any() and (x < 0).any()


def test_kinks_without_room_are_refused():
    with pytest.raises(ValueError, match="away from the kinks"):
        find(arrays(kinks=(0.0,), margin=3.0, largest=1.0), lambda x: True)


@few
@given(arrays(shape=st.just((2, 3)), dtype=dtypes()))
def test_shape_and_dtype_may_be_strategies(x):
    assert x.shape == (2, 3) and x.dtype in (np.float32, np.float64)


def test_shapes_shrink_to_the_smallest():
    assert find(shapes(), lambda s: True) == (1,)
    assert find(shapes(max_dims=3), lambda s: len(s) == 3 and s[1] >= 2) == (1, 2, 1)
    assert find(layer_sizes(), lambda s: len(s) >= 3 and s[1] > 2) == (1, 3, 1)


@few
@given(inputs("n 3", "3 h", "", sides={"h": 7}))
def test_axes_of_one_name_have_one_length(drawn):
    x, w, s = drawn
    assert x.shape[1:] == (3,) and w.shape == (3, 7) and s.shape == ()
    assert x.dtype == w.dtype == s.dtype


@few
@given(batches(4, columns=True), batches(st.integers(1, 3), 2))
def test_batches_fit_together(by_columns, by_rows):
    (x, y), (x2, y2) = by_columns, by_rows
    assert x.shape[0] == 4 and x.shape[1:] == y.shape and set(y) <= {0.0, 1.0}
    assert len(x2) == len(y2) and y2.shape[1] == 2


@few
@given(parameters())
def test_a_gradient_is_right_in_every_container(params):
    def loss(p):
        return sum(np.sum(leaf.value**2) for leaf in flatten(p)) / 2

    assert_gradients(loss, lambda p: replaced(p, {}), params)


def test_parameters_come_in_every_container():
    kinds: set[str] = set()

    @settings(max_examples=80, deadline=None, derandomize=True, database=None)
    @given(parameters({"W1": (2, 1), "b1": (1,)}))
    def draw(params):
        kinds.add(type(params).__name__)
        assert sorted(np.shape(leaf.value) for leaf in flatten(params)) == [(1,), (2, 1)]

    draw()
    assert kinds == {"dict", "list", "tuple", "Parameters", "SimpleNamespace"}


@few
@given(networks())
def test_the_gradient_of_a_network_is_right(network):
    report = check_gradient(network.loss, network.gradient, network.params)
    assert report.ok, report.text()


@few
@given(networks(layer_sizes(min_layers=2), activations=["relu"]))
def test_no_unit_of_a_network_lies_near_its_kink(network):
    for k, values in enumerate(network.outputs(network.params)[:-1], 1):
        z = values @ network.params[f"W{k}"] + network.params[f"b{k}"]
        assert np.abs(z).min() >= 0.99 * MARGIN and np.abs(z).max() <= 2.5


def test_a_network_with_a_wrong_gradient_shrinks_to_one_layer_of_one_unit():
    def wrong(network):
        grads = network.gradient(network.params)
        half = {**grads, "b1": grads["b1"] / 2}
        return not check_gradient(network.loss, lambda p: half, network.params).ok

    smallest = find(networks(), wrong, settings=settings(derandomize=True, database=None))
    assert smallest.sizes == (1, 1) and len(smallest.x) == 1
    assert (smallest.activation, smallest.objective) == ("tanh", OBJECTIVES[0])
