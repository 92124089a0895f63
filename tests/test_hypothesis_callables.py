"""Generated structures, shapes and dtypes against the promises: right passes, wrong is named, nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, assume, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

import backpropdoctor as bd  # noqa: E402
from backpropdoctor.tree import flatten, like, replaced  # noqa: E402

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

shapes = st.lists(st.sampled_from([0, 1, 1, 2, 3]), max_size=4).map(tuple)
dtypes = st.sampled_from([np.float64, np.float64, np.float32, np.float16])
layouts = st.sampled_from(["C", "F", "strided", "read-only"])


@dataclass
class Block:
    w: Any
    b: Any


class Thing:
    def __init__(self, w):
        self.w = w


@st.composite
def arrays(draw):
    shape, dtype, seed = draw(shapes), draw(dtypes), draw(st.integers(0, 2**16))
    array = np.random.default_rng(seed).uniform(0.2, 1.2, shape).astype(dtype)
    layout = draw(layouts)
    if layout == "F":
        return np.asfortranarray(array)
    if layout == "strided" and array.ndim:
        return np.repeat(array, 2, axis=0)[::2]
    array.flags.writeable = layout != "read-only"
    return array


numbers = st.floats(0.2, 1.2) | st.floats(0.2, 1.2).map(np.float64) | st.floats(0.25, 1.0, width=32).map(np.float32)
leaves = arrays() | numbers | st.lists(st.floats(0.2, 1.2), min_size=1, max_size=3)
keys = st.sampled_from(["W1", "b1", "W2", "gamma", "a b", "x"]) | st.integers(0, 3) | st.tuples(st.integers(0, 2))


def containers(inner):
    return (
        st.dictionaries(keys, inner, min_size=1, max_size=3)
        | st.lists(inner, min_size=1, max_size=3)
        | st.lists(inner, min_size=1, max_size=3).map(tuple)
        | st.builds(Block, inner, inner)
    )


trees = st.recursive(leaves, containers, max_leaves=6)


def function_of(tree):
    """A smooth loss and its gradient for any structure; narrow types stay as narrow as they are."""

    def loss(p):
        return sum(np.sum(np.asarray(leaf.value) ** 3) * (i + 1) for i, leaf in enumerate(flatten(p))) + 0.0

    def gradient(p, factors=None):
        found = flatten(p)
        values = {}
        for i, leaf in enumerate(found):
            x = np.asarray(leaf.value)
            g = 3 * x**2 * x.dtype.type(i + 1)
            values[leaf.paths[0]] = like(leaf.value, (g * x.dtype.type((factors or {}).get(i, 1))).astype(x.dtype))
        return replaced(p, values)

    return loss, gradient


def bits(tree):
    return [(type(leaf.value), np.asarray(leaf.value).tobytes()) for leaf in flatten(tree)]


def sized(tree):
    return [i for i, leaf in enumerate(flatten(tree)) if np.size(leaf.value)]


@FEW
@given(trees)
def test_right_gradients_pass_in_every_structure(tree):
    loss, gradient = function_of(tree)
    before = bits(tree)
    report = bd.check_gradient(loss, gradient, tree)
    assert bits(tree) == before
    assert {f.code for f in report.findings} <= {"BD412"}
    assert all(c.verdict == "right" for c in report.checked)
    assert len(report.checked) == len(sized(tree))
    assert report.ok == bool(sized(tree))


@FEW
@given(trees, st.data())
def test_the_one_wrong_tensor_is_named(tree, data):
    good = sized(tree)
    assume(good)
    wrong = data.draw(st.sampled_from(good))
    factor = data.draw(st.sampled_from([2.0, 0.5, -1.0, 0.0]))
    loss, gradient = function_of(tree)
    before = bits(tree)
    report = bd.check_gradient(loss, lambda p: gradient(p, {wrong: factor}), tree)
    assert bits(tree) == before
    assert report.wrong == (flatten(tree)[wrong].name,)
    assert not report.ok


@FEW
@given(arrays(), arrays(), st.booleans())
def test_layers_of_any_shape(x, w, wrong):
    assume(x.size and w.size)

    def forward(x, w):
        return np.tanh(x) * np.sum(w), np.sin(w), (x, w)

    def backward(dout, dsin, cache):
        x, w = cache
        dw = np.cos(w) * dsin + np.sum(dout * np.tanh(x))
        return dout * np.sum(w) * (1 - np.tanh(x) ** 2), dw * (2 if wrong else 1)

    before = bits([x, w])
    report = bd.check_layer(forward, backward, x, w)
    assert bits([x, w]) == before
    assert "w" in report.wrong if wrong else not report.wrong
    assert "x" not in report.wrong


@FEW
@given(st.lists(arrays(), min_size=2, max_size=4), st.data())
def test_a_wrong_shape_is_a_finding_and_never_an_exception(tree, data):
    i = data.draw(st.integers(0, len(tree) - 1))
    shape = data.draw(shapes)
    own = tree[i].shape
    fits = (
        np.prod(shape, dtype=int) == tree[i].size and np.broadcast_shapes(shape, own) == own
        if broadcasts(shape, own)
        else False
    )
    assume(not fits and tree[i].size)
    loss, gradient = function_of(tree)

    def reshaped(p):
        g = gradient(p)
        g[i] = np.ones(shape, g[i].dtype)
        return g

    report = bd.check_gradient(loss, reshaped, tree)
    assert "BD404" in {f.code for f in report.findings}
    assert not report.ok


def broadcasts(a, b):
    try:
        np.broadcast_shapes(a, b)
    except ValueError:
        return False
    return True


@FEW
@given(trees, st.sampled_from(["raise", "nan", "none", "mutate"]))
def test_whatever_the_functions_do_the_parameters_stay(tree, how):
    assume(sized(tree))
    loss, gradient = function_of(tree)
    calls = []

    def odd(p):
        calls.append(1)
        if how == "raise" and len(calls) > 3:
            raise RuntimeError("no more")
        if how == "mutate":
            for leaf in flatten(p):
                if isinstance(leaf.value, np.ndarray) and leaf.value.flags.writeable:
                    leaf.value[...] = 0
        return {"nan": np.nan, "none": None}.get(how, loss(p))

    before = bits(tree)
    report = bd.check_gradient(odd, gradient, tree)
    assert bits(tree) == before
    if how in ("nan", "none"):
        assert report.findings and not report.ok
