"""The table of names."""

from __future__ import annotations

import pytest

from backpropdoctor.load.conventions import (
    gradient_names,
    is_cotangent_name,
    is_gradient_name,
    is_gradient_of,
    is_loss_name,
    parameter_of,
)  # fmt: skip


@pytest.mark.parametrize(
    ("gradient", "parameter"),
    [
        ("dW1", "W1"), ("db", "b"), ("d_w5", "w5"), ("grad_W1", "W1"), ("W1_grad", "W1"), ("nabla_w", "w"),
        ("nabla_w", "weights"),
        ("delta_w1", "w1"), ("d_weights1", "weights1"), ("dL_dW", "W"), ("gradW", "W"), ("dgamma", "gamma"),
        ("dWx", "Wx"),
        ("dprev_h", "prev_h"), ("dbiases", "biases"), ("deltaW", "W"), ("dv", "v"), ("dA_prev", "A_prev"),
    ],
)  # fmt: skip
def test_a_gradients_name_leads_to_its_parameter(gradient, parameter):
    assert parameter in parameter_of(gradient)
    assert is_gradient_name(gradient)


@pytest.mark.parametrize(
    "name", ["data", "dense", "dim", "dict", "delta3", "dropout", "depth", "diff", "W1", "x", "y", "loss", "weights"]
)
def test_other_names_lead_nowhere(name):
    assert parameter_of(name) == ()


@pytest.mark.parametrize(
    ("gradient", "parameter", "score"),
    [
        (("grads", "dW1"), ("parameters", "W1"), 3),
        (("nabla_w", 2), ("self", "weights", 2), 2),
        (("nabla_w", 1), ("self", "weights", 2), 0),
        (("self", "grads", "W"), ("self", "params", "W"), 3),
        (("W", "grad"), ("W", "data"), 3),
        (("dW2",), ("W1",), 0),
        (("W1",), ("W1",), 0),
    ],
)
def test_names_taken_apart_fit_or_do_not(gradient, parameter, score):
    assert is_gradient_of(gradient, parameter) == score


def test_the_likeliest_name_comes_first():
    assert gradient_names(("self", "W"))[0] == ("self", "dW")
    assert ("grads", "dW1") in gradient_names(("params", "W1"))
    assert ("W", "grad") in gradient_names(("W", "data"))


@pytest.mark.parametrize(
    "name",
    [
        "loss",
        "cost",
        "J",
        "mse",
        "total_loss",
        "compute_cost",
        "l2_loss",
        "calcule_cout",
        "cross_entropy",
        "evaluate_loss",
        "pérdida",
        "kayıp",
        "custo_total",
    ],
)
def test_losses_are_known_by_name(name):
    assert is_loss_name(name)


@pytest.mark.parametrize("name", ["forward", "lr", "logits", "layers", "x", "W1", "relu", "params"])
def test_other_functions_are_no_losses(name):
    assert not is_loss_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "dout",
        "grad_output",
        "dZ",
        "delta",
        "dnext_h",
        "upstream",
        "top_diff",
        "accum_grad",
        "dvalues",
        "output_gradient",
    ],
)
def test_cotangents_are_known_by_name(name):
    assert is_cotangent_name(name)


@pytest.mark.parametrize("name", ["cache", "memory", "x", "w", "Z", "lr"])
def test_other_arguments_are_no_cotangents(name):
    assert not is_cotangent_name(name)
