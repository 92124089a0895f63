"""What cannot be checked: one clear message that names the culprit, and the parameters bit for bit as they were.

A wrong call raises InputError; wrong user code is a finding in the report.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest

import backpropdoctor as bd
from backpropdoctor.errors import InputError
from backpropdoctor.tree import flatten

X, Y = np.random.default_rng(1).standard_normal((6, 3)), np.arange(6.0)


def loss(p):
    return np.mean((X @ p["w"] + p["b"] - Y) ** 2)


def gradient(p):
    d = 2 * (X @ p["w"] + p["b"] - Y) / len(Y)
    return {"w": X.T @ d, "b": d.sum()}


def good():
    return {"w": np.array([0.5, -1.0, 2.0]), "b": 0.25}


def bits(params):
    return [np.asarray(leaf.value).tobytes() for leaf in flatten(params)]


def check(f=loss, g=gradient, params=None):
    """The report; on the way, the parameters must stay what they were, and be the same objects."""
    params = good() if params is None else params
    before, held = bits(params), [id(leaf.value) for leaf in flatten(params)]
    report = bd.check_gradient(f, g, params)
    assert bits(params) == before and [id(leaf.value) for leaf in flatten(params)] == held
    return report


def only(report):
    """The one finding of a report."""
    assert len(report.findings) == 1, [f.message for f in report.findings]
    assert not report.ok
    return report.findings[0]


def changed(**entries):
    return lambda p: {**gradient(p), **entries}


def test_the_pieces_themselves_are_right():
    assert check().ok


# shapes and keys


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (np.ones((3, 1)), "shape (3, 1)"),
        (np.ones(2), "shape (2,)"),
        (np.float64(1.0), "shape ()"),
        (np.ones((3, 3)), "shape (3, 3)"),
    ],
)
def test_shapes_that_differ(entry, words):
    finding = only(check(g=changed(w=entry)))
    assert finding.code == "BD404" and finding.tensors == ("w",)
    assert words in finding.message and "`w` has shape (3,)" in finding.message


def test_a_missing_key():
    finding = only(check(g=lambda p: {"w": gradient(p)["w"]}))
    assert finding.code == "BD405" and "no gradient for `b`" in finding.message


def test_a_misspelt_key_names_the_nearest():
    finding = only(check(g=lambda p: {"dw": gradient(p)["w"], "dbb": gradient(p)["b"]}))
    assert finding.code == "BD405" and "grads['dbb']" in finding.message and "rename" in finding.help


def test_a_surplus_key():
    finding = only(check(g=changed(dc=np.ones(2))))
    assert finding.code == "BD406" and "grads['dc']" in finding.message


def test_too_few_and_too_many_in_a_list():
    pair = [np.ones(2), np.ones(3)]

    def total(p):
        return np.sum(p[0]) + np.sum(p[1])

    assert only(check(total, lambda p: [np.ones(2)], pair)).code == "BD405"
    assert only(check(total, lambda p: [np.ones(2), np.ones(3), np.ones(1)], pair)).code == "BD406"


def test_a_tuple_of_gradients_for_a_dict_of_equal_shapes_is_not_guessed():
    report = check(lambda p: np.sum(p["u"] * p["v"]), lambda p: (p["v"], p["u"]), {"u": np.ones(2), "v": np.ones(2)})
    assert only(report).code == "BD003"


def test_no_gradient_at_all():
    assert {f.code for f in check(g=lambda p: None).findings} <= {"BD001", "BD405"}
    assert not check(g=lambda p: None).ok


# types and values


@pytest.mark.parametrize("array", [np.array([1, 2, 3]), np.array([True, False, True]), np.array([1, 2, 3], dtype=np.uint8)])
def test_integer_arrays(array):
    finding = only(check(params={"w": array, "b": 0.5}))
    assert finding.code == "BD407" and "`w`" in finding.message and "astype(float)" in finding.help


@pytest.mark.parametrize("array", [np.array([1.0, None, 2.0], dtype=object), np.array(["a", "b", "c"])])
def test_object_and_string_arrays(array):
    finding = only(check(lambda p: p["b"] ** 2, lambda p: {"w": np.ones(3), "b": 2 * p["b"]}, {"w": array, "b": 0.5}))
    assert finding.code == "BD407" and "`w`" in finding.message


def test_complex_parameters():
    finding = only(check(lambda p: float(abs(p["w"]).sum()), lambda p: p, {"w": np.ones(2) * 1j}))
    assert finding.code == "BD407" and "complex" in finding.message


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_parameters_that_are_not_finite(value):
    params = good()
    params["w"][1] = value
    finding = only(check(params=params))
    assert finding.code == "BD408" and "`w`" in finding.message and "first at [1]" in finding.message


def test_empty_arrays():
    report = check(
        lambda p: loss(p) + np.sum(p["e"]),
        lambda p: {**gradient(p), "e": np.zeros((0, 4))},
        {**good(), "e": np.zeros((0, 4))},
    )
    assert [f.code for f in report.findings] == ["BD412"] and "`e`" in report.findings[0].message
    assert {c.tensor: c.verdict for c in report.checked} == {"w": "right", "b": "right"}


def test_only_empty_arrays_is_no_pass():
    report = bd.check_gradient(lambda p: np.sum(p["e"]), lambda p: p, {"e": np.zeros((0, 4))})
    assert not report.ok and report.exit_status == 3


@pytest.mark.parametrize(
    "make",
    [
        lambda a: np.asfortranarray(np.tile(a, (2, 1)))[0],
        lambda a: np.repeat(a, 2)[::2],
        lambda a: a[::-1].copy()[::-1],
        lambda a: np.broadcast_to(a, (1, 3))[0],
    ],
    ids=["fortran", "strided", "reversed", "broadcast"],
)
@pytest.mark.parametrize("writeable", [True, False])
def test_read_only_and_non_contiguous_arrays_are_checked(make, writeable):
    array = make(np.array([0.5, -1.0, 2.0]))
    if array.flags.writeable:
        array.flags.writeable = writeable
    assert check(params={"w": array, "b": 0.25}).ok
    assert check(g=lambda p: {"w": 2 * gradient(p)["w"], "b": gradient(p)["b"]}, params={"w": array, "b": 0.25}).wrong == ("w",)


def test_gradients_that_are_not_finite_or_not_numbers():
    finding = only(check(g=changed(w=np.array([1.0, np.nan, 1.0]))))
    assert finding.code == "BD409" and "`grads['w']`" in finding.message
    assert only(check(g=changed(w=np.array([1.0, 1j, 1.0])))).code == "BD409"
    assert only(check(g=changed(w="three"))).code in ("BD404", "BD409")
    assert only(check(g=changed(w=[[1.0], [2.0, 3.0]]))).code == "BD404"


# functions that misbehave


def mutating_loss(p):
    value = loss(p)
    p["w"] *= 0.5
    return value


def replacing_loss(p):
    value = loss(p)
    p["b"] = 7.0
    return value


def test_a_loss_that_changes_its_parameters():
    finding = only(check(mutating_loss))
    assert finding.code == "BD410" and "`mutating_loss` changes `w` in place" in finding.message
    finding = only(check(replacing_loss))
    assert finding.code == "BD410" and "`b`" in finding.message


def test_a_gradient_function_that_updates():
    def updating(p):
        g = gradient(p)
        p["w"] -= 0.1 * g["w"]
        return g

    assert "`updating` changes `w`" in only(check(g=updating)).message


def test_functions_without_arguments_that_change_the_parameters():
    p = good()
    before = copy.deepcopy(p)

    def run():
        value = loss(p)
        p["w"] += 1.0
        return value

    report = bd.check_gradient(run, lambda: gradient(p), p)
    assert "BD410" in {f.code for f in report.findings}
    assert p["w"].tobytes() == before["w"].tobytes() and p["b"] == before["b"]


def test_parameters_changed_by_another_name():
    p = good()

    def sly(q):
        p["w"] += 1.0
        return loss(q)

    before = p["w"].tobytes()
    report = bd.check_gradient(sly, gradient, p)
    assert p["w"].tobytes() == before
    assert {f.code for f in report.findings} == {"BD410"}


def test_a_random_loss():
    rng = np.random.default_rng(0)
    finding = only(check(lambda p: loss(p) + 0.01 * rng.normal()))
    assert finding.code == "BD901" and "random" in finding.message and "differ by" in finding.message
    np.random.seed(0)
    report = check(lambda p: loss(p) + 0.01 * np.random.rand())
    assert only(report).code == "BD901" and {c.verdict for c in report.checked} == {"undecided"} and report.exit_status == 3


def test_a_random_gradient():
    rng = np.random.default_rng(0)
    finding = only(check(g=lambda p: {"w": gradient(p)["w"] + rng.normal(size=3), "b": gradient(p)["b"]}))
    assert finding.code == "BD413" and "`grads['w']`" in finding.message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.ones(6), "shape (6,)"),
        (np.ones((2, 3)), "shape (2, 3)"),
        (None, "None"),
        ("1.0", "str"),
        ({}, "dict"),
        ([], "list"),
    ],
)
def test_a_loss_that_is_no_number(value, words):
    finding = only(check(lambda p: value))
    assert finding.code == "BD403" and words in finding.message and finding.message.startswith("`loss` returned")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_loss_that_is_not_finite(value):
    assert only(check(lambda p: value)).code == "BD409"


@pytest.mark.parametrize("error", [ValueError("no luck"), KeyError("dW3"), ZeroDivisionError(), AssertionError("shape")])
def test_a_gradient_function_that_raises(error):
    def failing(p):
        raise error

    finding = only(check(g=failing))
    assert finding.code == "BD402" and finding.message.startswith(f"`failing` raised {type(error).__name__}")
    assert "raise error" in finding.span.text


def test_a_loss_that_raises():
    def failing(p):
        return p["W"]

    finding = only(check(failing))
    assert finding.code == "BD401" and finding.span.text == 'p["W"]'


def test_a_loss_that_raises_only_away_from_the_point():
    def picky(p):
        if abs(p["b"] - 0.25) > 0:
            raise ValueError("b must be 0.25")
        return loss(p)

    report = check(picky)
    assert {c.tensor: c.verdict for c in report.checked}["b"] == "undecided"
    assert not report.ok and not report.wrong


def test_exceptions_that_are_no_errors_pass_through_and_restore():
    p = good()

    def interrupted():
        if p["w"][0] != 0.5:
            raise KeyboardInterrupt
        return loss(p)

    before = p["w"].tobytes()
    with pytest.raises(KeyboardInterrupt):
        bd.check_gradient(interrupted, lambda: gradient(p), p)
    assert p["w"].tobytes() == before


def test_a_gradient_of_what_the_loss_does_not_read():
    report = check(lambda p: p["b"] ** 2, lambda p: {"w": np.ones(3), "b": 2 * p["b"]})
    finding = only(report)
    assert finding.code == "BD414" and finding.tensors == ("w",)


# calls that make no sense


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bd.check_gradient(3.0, gradient, good()), "`loss` is a float"),
        (lambda: bd.check_gradient(loss, None, good()), "`gradient` is a NoneType"),
        (lambda: bd.check_gradient(loss, gradient, None), "`params` is None"),
        (lambda: bd.check_gradient(loss, gradient, "weights"), "`params` is a str"),
        (lambda: bd.check_gradient(lambda p, x, y: 0.0, gradient, good()), "needs 3 arguments"),
        (lambda: bd.check_layer(np.ones(3), gradient, X), "`forward` is a ndarray"),
        (lambda: bd.check_layer(lambda x, w: x @ w, lambda d: d, X), "needs 2 inputs"),
        (lambda: bd.check(3.0), "a float"),
        (lambda: bd.check([1, 2], X, Y, loss=loss), "no forward and backward pass"),
    ],
)
def test_wrong_calls_raise_with_the_culprits_name(call, words):
    with pytest.raises(InputError, match=words.replace("(", r"\(")) as caught:
        call()
    assert not str(caught.value).endswith(".")


def test_another_packages_tensors_are_refused_by_name():
    torch = pytest.importorskip("torch")
    with pytest.raises(InputError, match="`w` is a torch.Tensor"):
        bd.check_gradient(loss, gradient, {"w": torch.ones(3), "b": 0.5})


def test_nothing_to_check():
    report = bd.check_gradient(lambda p: 0.0, lambda p: {}, {})
    assert only(report).code == "BD001" and report.exit_status == 3


# layers


def forward(x, w):
    return x @ w, (x, w)


def backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout


W = np.random.default_rng(2).standard_normal((3, 2))


def layer(f=forward, b=backward, *inputs):
    inputs = inputs or (X.copy(), W.copy())
    before = bits(list(inputs))
    report = bd.check_layer(f, b, *inputs)
    assert bits(list(inputs)) == before
    return report


def test_the_layer_itself_is_right():
    assert layer().ok


def test_a_forward_pass_that_changes_its_input():
    def clipping(x, w):
        x[x < 0] = 0
        return x @ w, (x, w)

    def clipped(dout, cache):
        x, w = cache
        return (dout @ w.T) * (x > 0), x.T @ dout

    finding = only(layer(clipping, clipped))
    assert finding.code == "BD411" and "`clipping` changes its input `x`" in finding.message


def test_a_backward_pass_that_changes_what_it_is_given():
    def eager(dout, cache):
        dx, dw = backward(dout, cache)
        cache[0][:] = 0
        return dx, dw

    assert only(layer(b=eager)).code == "BD411"

    def writing(dout, cache):
        grads = backward(dout, cache)
        dout[:] = 0
        return grads

    report = layer(b=writing)
    assert report.ok and [(f.code, f.severity) for f in report.findings] == [("BD411", "note")]


def test_a_layer_that_raises():
    def failing(dout, cache):
        return dout @ W, None

    finding = only(layer(b=failing))
    assert finding.code == "BD402" and finding.span.text == "dout @ W"
    assert only(layer(f=lambda x, w: x @ w.T)).code == "BD401"


def test_a_layer_without_output():
    assert only(layer(f=lambda x, w: None)).code == "BD415"
    assert only(layer(f=lambda x, w: (np.ones((6, 2), dtype=int), (x, w)))).code == "BD415"
    assert only(layer(f=lambda x, w: (x @ w * np.nan, (x, w)))).code == "BD409"


def test_wrong_shapes_in_a_layer():
    finding = only(layer(b=lambda dout, cache: (dout @ W.T, dout)))
    assert finding.code == "BD404" and finding.tensors == ("w",)


def test_a_gradient_too_many_in_a_layer():
    assert only(layer(b=lambda dout, cache: (*backward(dout, cache), np.ones(2)))).code == "BD406"


def test_inputs_that_are_not_finite():
    bad = X.copy()
    bad[0, 0] = np.nan
    assert only(layer(forward, backward, bad, W.copy())).code == "BD408"


def test_a_backward_pass_whose_arguments_say_nothing():
    assert only(layer(b=lambda dout, thing, other: (dout, thing))).code == "BD006"
