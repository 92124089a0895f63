"""The verdict: right, wrong, or undecided with its reason; never a wrong accusation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from backpropdoctor.numeric.compare import Judge, compare
from backpropdoctor.numeric.determinism import compare_results, repeatable
from backpropdoctor.numeric.directions import (
    analytic_error,
    gaussian,
    norm_of,
    power,
    power_sentence,
    size_of,
    telling,
)
from backpropdoctor.numeric.estimate import Verdict

RIGHT, WRONG, UNDECIDED = Verdict.RIGHT, Verdict.WRONG, Verdict.UNDECIDED
MODES = pytest.mark.parametrize("allow_complex", [True, False])


def smooth(t: Any) -> Any:
    return np.exp(np.sin(3 * t + 0.4)) + np.log(1.5 + t)


SLOPE = 3 * math.cos(0.4) * math.exp(math.sin(0.4)) + 1 / 1.5


@MODES
@pytest.mark.parametrize("size", [1e-30, 1e-6, 1.0, 1e6, 1e30])
def test_the_verdict_does_not_depend_on_the_scale_of_the_loss(size: float, allow_complex: bool) -> None:
    def phi(t: Any) -> Any:
        return size * smooth(t)

    def verdict(analytic: float) -> Verdict:
        return compare(phi, size * analytic, analytic_error=1e-15 * size, allow_complex=allow_complex).verdict

    assert verdict(SLOPE) is RIGHT
    for factor in (0.0, -1.0, 2.0, 1.1, 1 + 1e-6, 1 + 1e-8):
        assert verdict(factor * SLOPE) is WRONG


def test_an_error_of_1e_11_shows_by_the_complex_step() -> None:
    assert compare(smooth, SLOPE * (1 + 1e-11), analytic_error=1e-15).verdict is WRONG


@MODES
def test_a_slope_near_zero_is_judged_by_its_natural_scale(allow_complex: bool) -> None:
    x = np.random.default_rng(0).normal(size=(8, 5))

    def phi(t: Any) -> Any:  # a constant added before the softmax changes nothing
        z = x + t
        return np.mean(np.log(np.sum(np.exp(z - np.max(z)), axis=1)) + np.max(z) - z[:, 0])

    for rounding in (0.0, 3e-17, -2e-16):
        assert compare(phi, rounding, allow_complex=allow_complex).verdict is RIGHT
    assert compare(phi, 1e-6, allow_complex=allow_complex).verdict is WRONG


@MODES
def test_a_loss_that_does_not_move(allow_complex: bool) -> None:
    assert compare(lambda t: 2.7 + 0 * t, 0.0, allow_complex=allow_complex).verdict is RIGHT
    assert compare(lambda t: 2.7 + 0 * t, 1e-3, allow_complex=allow_complex).verdict is WRONG


@MODES
@pytest.mark.parametrize("analytic", [0.0, 0.3, 1.0, -1.0])
def test_a_kink_at_the_point_accuses_no_subgradient(analytic: float, allow_complex: bool) -> None:
    found = compare(lambda t: np.maximum(t, -t) + 1.0, analytic, allow_complex=allow_complex)
    assert found.verdict is not WRONG
    if found.verdict is UNDECIDED:
        assert found.cause == "kink" and "kink" in found.reason


@MODES
def test_kinks_at_the_point_of_either_sign_accuse_no_convention(allow_complex: bool) -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        inner, outer = rng.normal(size=(2, 40))

        def phi(t: Any, inner: Any = inner, outer: Any = outer) -> Any:
            return np.sum(outer * np.maximum(inner * t, 0)) + 5 * t + 1.0

        for convention in (0.0, 0.5, 1.0):
            analytic = float(5 + convention * np.sum(inner * outer))
            assert compare(phi, analytic, analytic_error=1e-14, allow_complex=allow_complex).verdict is not WRONG


@MODES
def test_kinks_beside_the_point_hide_no_error(allow_complex: bool) -> None:
    rng = np.random.default_rng(4)
    caught = alarms = undecided = 0
    for _ in range(200):
        places, jumps = rng.normal(size=(2, 300))

        def phi(t: Any, places: Any = places, jumps: Any = jumps) -> Any:
            return np.mean(jumps * np.maximum(t - places, 0)) + np.exp(t)

        slope = 1 + float(np.mean(jumps * (places < 0)))
        right = compare(phi, slope, analytic_error=1e-15, allow_complex=allow_complex)
        alarms += right.verdict is WRONG
        undecided += right.verdict is UNDECIDED
        wrong = compare(phi, slope * (1 + 1e-6), analytic_error=1e-15, allow_complex=allow_complex)
        caught += wrong.verdict is WRONG
    assert alarms == 0 and undecided <= 1 and caught >= 199


def test_noise_that_hides_the_difference_is_undecided() -> None:
    rng = np.random.default_rng(0)
    found = compare(lambda t: 1 + t + 0.3 * rng.normal(), 1.0)
    assert found.verdict is UNDECIDED and found.cause == "noise" and "noisy" in found.reason


def test_noise_that_does_not_hide_it_is_no_excuse() -> None:
    rng = np.random.default_rng(0)
    found = compare(lambda t: float(math.sin(t + 1) + 1e-8 * rng.normal()), 2 * math.cos(1))
    assert found.verdict is WRONG


@pytest.mark.parametrize("factor", [0.0, -1.0, 2.0, 1.1])
def test_float32_code_is_judged_by_its_noise(factor: float) -> None:
    def phi(t: float) -> Any:
        return np.float32(smooth(np.float32(t)))

    assert compare(phi, SLOPE, analytic_error=1e-6).verdict is RIGHT
    assert compare(phi, factor * SLOPE, analytic_error=1e-6).verdict is WRONG


def test_what_is_not_finite_is_undecided() -> None:
    assert compare(lambda t: math.nan, 1.0).cause == "non-finite"
    assert compare(lambda t: 1.0 if t == 0 else math.inf, 1.0).cause == "non-finite"
    assert compare(smooth, math.nan).cause == "non-finite"


def test_non_analytic_code_is_not_judged_by_the_complex_step() -> None:
    weights = np.array([0.5, -1.5, 2.0])

    def phi(t: Any) -> Any:
        return np.sum(np.abs(weights + t)) + np.sum((weights + t) ** 2)

    slope = float(np.sum(np.sign(weights) + 2 * weights))
    found = compare(phi, slope, analytic_error=1e-15)
    assert found.verdict is RIGHT and found.numeric.method == "central differences"
    assert compare(phi, float(np.sum(2 * weights)), analytic_error=1e-15).verdict is WRONG  # the penalty left out


@MODES
@pytest.mark.parametrize("factor", [1.0, 1.1, 1 + 1e-9])
def test_four_lines_cost_at_most_sixty_calls(factor: float, allow_complex: bool) -> None:
    calls = []

    def phi(t: Any) -> Any:
        calls.append(t)
        return smooth(t) + 0.1 * np.maximum(t - 1e-3, 0) + 0.1 * np.maximum(-t - 2e-5, 0)

    judge = Judge(float(phi(0.0)), phi, allow_complex=allow_complex)
    for _ in range(4):
        judge.compare(phi, factor * SLOPE, analytic_error=1e-15)
    assert len(calls) <= 58  # two more for determinism
    assert judge.evaluations == len(calls) - 1


def test_directions_have_the_size_of_the_block_and_both_signs() -> None:
    block = 1e-3 * np.random.default_rng(0).normal(size=(50, 40))
    u = gaussian(block.shape, 1, block)
    assert 0.9 < size_of(u) / size_of(block) < 1.1 and 0.4 < np.mean(u > 0) < 0.6
    assert size_of(np.zeros(3)) == 1.0 and size_of(np.zeros(0)) == 1.0 and size_of(np.array([1e300, 1e300])) == 1e300
    assert norm_of(np.full(4, 1e-300)) == pytest.approx(2e-300)
    assert np.array_equal(gaussian((3,), 5), gaussian((3,), 5))


def test_a_telling_direction_has_a_slope() -> None:
    rng = np.random.default_rng(0)
    g = rng.normal(size=(20, 3))
    slopes = [np.vdot(g, telling(g, rng)) / np.linalg.norm(g) for _ in range(300)]
    assert min(np.abs(slopes)) >= 1.0 and 0.4 < np.mean(np.array(slopes) > 0) < 0.6
    assert telling(np.zeros(3), 0).any()


def test_the_stated_power_is_kept() -> None:
    rng = np.random.default_rng(1)
    g, error = rng.normal(size=(2, 30))
    tau, trials = 0.2, 20_000
    missed = np.mean([abs(np.vdot(error, telling(g, rng))) <= tau for _ in range(trials)])
    assert missed <= power(tau, float(np.linalg.norm(error))) * 1.2
    assert power(tau, 1.0, 3) == pytest.approx(power(tau, 1.0) ** 3) and power(1.0, 0.0) == 1.0


def test_the_power_in_words() -> None:
    assert power_sentence(1e-14, 1.0) == "an error of 1e-8 of |g| would be missed with p < 1e-6"
    assert power_sentence(1e-8, 1.0, k=2) == "an error of 1e-5 of |g| would be missed with p < 1e-6"
    assert power_sentence(1e-5, 1.0) == "an error of 1e-2 of |g| would be missed with p < 1e-3"
    assert "p = 0.8" in power_sentence(1.0, 1.0)
    assert power_sentence(1.0, 0.0) == ""


def test_analytic_error_follows_the_precision() -> None:
    g = np.ones(10, dtype=np.float32)
    assert analytic_error(g, np.ones(10)) == pytest.approx(160 * np.finfo(np.float32).eps)
    assert analytic_error(g, np.ones(10), dtype=np.float64) == pytest.approx(160 * np.finfo(np.float64).eps)
    assert analytic_error(g, np.ones(10), spread=1.0) > 4


def test_repeatable_compares_bit_by_bit() -> None:
    found = repeatable(lambda: {"W": np.array([1.0, math.nan]), "n": [1, 2.5]})
    assert found.same and found.spread == 0
    values = iter([1.0, 1.0 + 1e-12])
    found = repeatable(lambda: {"W": [0, next(values)]})
    assert not found.same and 0 < found.spread < 2e-12 and found.where == "['W'][1]"
    buffer = np.zeros(3)

    def accumulate() -> Any:
        buffer[:] += 1
        return buffer

    assert repeatable(accumulate).spread == 1.0


def test_results_of_other_shapes_differ() -> None:
    assert compare_results(np.ones(2), np.ones(3)).spread == math.inf
    assert compare_results({"a": 1}, {"b": 1}).spread == math.inf
    assert not compare_results(np.float64(1), np.float32(1)).same
    assert compare_results((1, "x", None), (1, "x", None)).same
