"""The table of mistakes: every one is found where it was made, nothing is found where nothing was, and nothing is guessed."""

from __future__ import annotations

import numpy as np
import pytest

from backpropdoctor.diagnose.mistakes import explain_findings, explained, mistakes
from backpropdoctor.finding import make_finding
from backpropdoctor.model import Model, Tensor

SHAPES = [(), (5,), (4, 4), (3, 5), (2, 3, 4)]


CASES = [
    pytest.param(shape, mistake.name, id=f"{shape}-{mistake.name}")
    for shape in SHAPES
    for mistake in mistakes(shape, counts=(32,))
]


def the(shape, name):
    return next(m for m in mistakes(shape, counts=(32,)) if m.name == name)


@pytest.mark.parametrize(("shape", "name"), CASES)
def test_the_pull_of_a_mistake_is_the_adjoint_of_what_it_makes(shape, name):
    rng = np.random.default_rng(1)
    g, u = rng.standard_normal(shape), rng.standard_normal(shape)
    mistake = the(shape, name)
    made = np.asarray(mistake.make(g))
    assert made.shape == shape
    assert np.sum(made * u) == pytest.approx(np.sum(g * np.asarray(mistake.pull(u))), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("shape", "name"), CASES)
def test_an_injected_mistake_is_named(shape, name):
    g = np.random.default_rng(2).standard_normal(shape)
    mistake = the(shape, name)
    found = explained(mistake.make(g), lambda u: float(np.sum(g * u)), counts=(32,))
    assert mistake.words in found


@pytest.mark.parametrize("shape", SHAPES)
def test_a_right_gradient_is_not_explained(shape):
    g = np.random.default_rng(3).standard_normal(shape)
    assert explained(g, lambda u: float(np.sum(g * u))) == []


@pytest.mark.parametrize("shape", [(5,), (4, 4), (3, 5)])
def test_a_gradient_wrong_in_another_way_is_not_explained(shape):
    rng = np.random.default_rng(4)
    g, other = rng.standard_normal(shape), rng.standard_normal(shape)
    assert explained(other, lambda u: float(np.sum(g * u)), value=rng.standard_normal(shape)) == []


def test_an_explanation_that_fits_one_direction_only_is_refused():
    g = np.random.default_rng(5).standard_normal((6,))
    first = np.random.default_rng(0).standard_normal((6,))  # the direction that the search uses first
    wrong = -g + 0.5 * (np.eye(6)[0] - first[0] / (first @ first) * first)
    assert wrong @ first == pytest.approx(-(g @ first))
    assert explained(wrong, lambda u: float(g @ u)) == []


@pytest.mark.parametrize("c", [0.1, -0.02])
def test_a_missing_or_surplus_weight_decay_is_named(c):
    rng = np.random.default_rng(6)
    g, w = rng.standard_normal((3, 4)), rng.standard_normal((3, 4))
    (text,) = explained(g - c * w, lambda u: float(np.sum(g * u)), value=w)
    assert f"{c:.6g} times the tensor itself" in text and ("missing" in text) == (c > 0)


def quadratic(gradient):
    w = np.random.default_rng(7).standard_normal((4, 4))
    a = np.random.default_rng(8).standard_normal((4, 4))
    true = a * w
    tensor = Tensor("w", "w", w, gradient(true), "dw")
    model = Model(target="t", tensors=(tensor,), objective=lambda v: np.sum(a * v.get("w", w) ** 2) / 2)
    return model, make_finding("BD101", "`dw` is not the gradient", tensors=("w",))


def test_a_finding_gets_its_explanation():
    model, finding = quadratic(np.transpose)
    (told,) = explain_findings(model, [finding])
    assert [e.text for e in told.explanations] == ["it is the transpose of the gradient"]
    assert told.explanations[0].status == "verified"


def test_a_finding_that_nothing_explains_is_left_alone():
    model, finding = quadratic(lambda g: g + np.linspace(0, 1, 16).reshape(4, 4) ** 2)
    assert explain_findings(model, [finding]) == [finding]
