"""Where a block is wrong, and by what factor."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backpropdoctor.numeric.estimate import Estimate
from backpropdoctor.numeric.ratio import ratio_of
from backpropdoctor.numeric.search import Part, locate, words_of


def oracle(truth: Any, calls: list[Any], relative: float = 1e-14) -> Callable[[Any], Estimate]:
    """Slopes of a known true gradient, with errors as large as their bars allow."""
    rng = np.random.default_rng(99)

    def slope_of(u: Any) -> Estimate:
        calls.append(u)
        bar = relative * float(np.linalg.norm(truth) * np.linalg.norm(u))
        return Estimate(float(np.vdot(truth, u)) + bar * rng.uniform(-1, 1), bar, "oracle", 1)

    return slope_of


def found_part(gradient: Any, truth: Any, relative: float = 1e-14) -> tuple[Part, int]:
    calls: list[Any] = []
    part = locate(oracle(truth, calls, relative), gradient, seed=5)
    assert part.evaluations == len(calls)
    return part, len(calls)


def damaged(shape: tuple[int, ...], index: Any, seed: int = 0) -> tuple[Any, Any]:
    truth = np.random.default_rng(seed).normal(size=shape)
    wrong = truth.copy()
    wrong[index] *= 1.5
    return wrong, truth


@pytest.mark.parametrize(
    ("shape", "index", "words"),
    [
        ((30, 20), (3,), "row 3"),
        ((30, 20), (slice(None), 2), "column 2"),
        ((30, 20), (0, 5), "element (0, 5)"),
        ((30, 20), ([3, 17],), "rows 3 and 17"),
        ((30, 20), (slice(None), [1, 4, 9]), "columns 1, 4 and 9"),
        ((30, 20), ([3, 17, 20], [1, 4, 9]), "elements (3, 1), (17, 4) and (20, 9)"),
        ((30, 20), (Ellipsis,), "all"),
        ((12, 12), (range(12), range(12)), "the diagonal"),
        ((40,), (7,), "element 7"),
        ((40,), ([7, 8],), "elements 7 and 8"),
        ((1, 40), (0, 7), "element (0, 7)"),
        ((4, 3, 5, 5), (2,), "slice [2, :, :, :]"),
        ((4, 3, 5, 5), (slice(None), slice(None), 0, 0), "slice [:, :, 0, 0]"),
        ((4, 3, 5, 5), (1, 2, 3, 4), "element (1, 2, 3, 4)"),
        ((), (), "all"),
        ((1,), (0,), "all"),
    ],
)
def test_the_wrong_part_is_named(shape: tuple[int, ...], index: Any, words: str) -> None:
    part, _ = found_part(*damaged(shape, index))
    assert part.words == words


@pytest.mark.parametrize("relative", [1e-14, 1e-8, 1e-7])
@pytest.mark.parametrize("shape", [(10,), (64, 20), (784, 100), (16, 8, 3, 3), (1000,)])
def test_one_element_costs_at_most_two_log2_n(shape: tuple[int, ...], relative: float) -> None:
    size = math.prod(shape)
    rng = np.random.default_rng(size)
    for seed in range(5):
        at = tuple(int(rng.integers(n)) for n in shape)
        truth = np.random.default_rng(seed).normal(size=shape)
        wrong = truth.copy()
        wrong[at] += 3.0
        part, calls = found_part(wrong, truth, relative)
        assert part.kind == "elements" and part.elements == (at,)
        assert calls <= 2 * math.log2(size)


def test_scattered_elements_are_a_mask() -> None:
    truth = np.random.default_rng(0).normal(size=(30, 20))
    wrong = np.where(np.random.default_rng(1).random(truth.shape) < 0.5, 2 * truth, truth)
    part, _ = found_part(wrong, truth)
    assert part.kind == "mask" and part.words == "some of the elements"


def test_zeros_of_the_gradient_are_a_mask() -> None:
    truth = np.random.default_rng(0).normal(size=(30, 20))
    mask = np.random.default_rng(1).random(truth.shape) < 0.3
    part, _ = found_part(np.where(mask, 0, truth), truth)
    assert part.words == "the elements where the gradient is 0"
    part, _ = found_part(np.where(mask, 0, 2 * truth), np.where(mask, 0, truth))
    assert part.words == "all but the elements where the gradient is 0"


def test_a_right_block_has_no_wrong_part() -> None:
    truth = np.random.default_rng(0).normal(size=(30, 20))
    part, calls = found_part(truth, truth)
    assert part.kind == "unknown" and calls == 3


def test_a_budget_is_kept() -> None:
    calls: list[Any] = []
    wrong, truth = damaged((30, 20), ([3, 17],))
    part = locate(oracle(truth, calls), wrong, budget=5)
    assert part.kind == "unknown" and "budget" in part.words and len(calls) == 5


def test_an_error_that_no_part_shows_is_not_placed() -> None:
    # many small errors that only together exceed the bars
    truth = np.random.default_rng(0).normal(size=(60, 50))
    for seed in range(20):
        wrong = truth + 2e-3 * np.random.default_rng(seed).normal(size=truth.shape)
        part, _ = found_part(wrong, truth, 1e-5)
        assert part.kind in ("unknown", "all", "mask")
    wrong = truth.copy()
    wrong[[1, 2, 3], :] += 0.15
    part, _ = found_part(wrong, truth, 1e-3)
    assert part.kind in ("unknown", "slices")


def test_an_empty_block() -> None:
    assert locate(oracle(np.zeros((0, 3)), []), np.zeros((0, 3))).kind == "none"


@pytest.mark.parametrize("factor", [0.5, 2.0, -1.0, 0.0, 32.0])
def test_a_constant_ratio(factor: float) -> None:
    truth = np.random.default_rng(0).normal(size=(30, 20))
    ratio = ratio_of(oracle(truth, []), factor * truth)
    assert ratio is not None and ratio.consistent and abs(ratio.value - factor) <= ratio.error < 1e-9


def test_no_constant_ratio() -> None:
    wrong, truth = damaged((30, 20), (3,))
    ratio = ratio_of(oracle(truth, []), wrong)
    assert ratio is not None and not ratio.consistent
    assert ratio_of(oracle(np.zeros(5), []), np.ones(5)) is None


def test_words() -> None:
    assert words_of((None, (0, 2)), (3, 4)) == "columns 0 and 2"
    assert words_of(((1, 2), (0, 2)), (3, 4)) == "elements in rows 1 and 2 and columns 0 and 2"
