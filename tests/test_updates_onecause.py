"""One cause is said once: findings of the gradient check beside those of the updates."""

from __future__ import annotations

import pytest

from backpropdoctor.checks.updates.onecause import one_cause
from backpropdoctor.finding import make_finding
from backpropdoctor.source import Span


def at(code, line, *tensors, **more):
    return make_finding(code, "x", span=Span("train.py", line, 1, line, 9), tensors=tensors, **more)


def codes(pair):
    return [[f.code for f in part] for part in pair]


@pytest.mark.parametrize("code", ["BD306", "BD318", "BD322"])
def test_an_update_that_is_not_one_explains_what_is_read_off_it(code):
    assert codes(one_cause([at("BD102", 4, "W")], [at(code, 9, "W", "b")])) == [[], [code]]
    assert codes(one_cause([at("BD102", 4, "V")], [at(code, 9, "W", "b")])) == [["BD102"], [code]]


@pytest.mark.parametrize("code", ["BD304", "BD305", "BD307", "BD308"])
def test_a_step_that_did_not_arrive_explains_a_gradient_found_at_its_line(code):
    update = at(code, 9, "W", evidence={"update_lines": [8]})
    assert codes(one_cause([at("BD102", 9, "W"), at("BD102", 8, "W"), at("BD102", 4, "W")], [update])) == [
        ["BD102"],
        [code],
    ]


def test_the_empty_loop_leaves_the_wrong_gradient_alone():
    assert codes(one_cause([at("BD102", 4, "W")], [at("BD301", 9, "W")])) == [["BD102"], ["BD301"]]


def test_the_sign_of_the_update_or_of_a_delta():
    signs = [at("BD107", 3, "W"), at("BD107", 4, "b")]
    assert codes(one_cause(signs, [at("BD321", 9, "W", "b")])) == [[], ["BD321"]]
    assert codes(one_cause([at("BD107", 2, "W", "b")], [at("BD321", 9, "W", "b")])) == [["BD107"], []]
    assert codes(one_cause([at("BD105", 3, "W")], [at("BD321", 9, "W", "b")])) == [["BD105"], []]
    assert codes(one_cause([], [at("BD321", 9, "W", "b")])) == [[], ["BD321"]]
