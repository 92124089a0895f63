"""One cause is said once: findings of the gradient check beside those of the updates."""

from __future__ import annotations

import pytest

from backpropdoctor.checks.updates.onecause import Claimed, one_cause
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


def test_what_is_read_off_the_update_of_a_dead_parameter_is_no_gradient():
    update = at("BD305", 9, "W", evidence={"update_lines": [9]})
    read_there = [Claimed("W", "", 9, True, 3.0)]
    assert codes(one_cause([at("BD102", 4, affects=("W",))], [update], read_there)) == [[], ["BD305"]]
    of_its_own = [Claimed("W", "dW", 4, True, 3.0)]
    assert codes(one_cause([at("BD102", 4, affects=("W",))], [update], of_its_own)) == [["BD102"], ["BD305"]]


def test_a_dead_parameter_is_the_same_in_later_steps():
    later = at("BD101", 4, affects=("W (no. 2)", "W (no. 3)"))
    assert codes(one_cause([later], [at("BD304", 9, "W")])) == [[], ["BD304"]]
    assert codes(one_cause([later], [at("BD304", 9, "b")])) == [["BD101"], ["BD304"]]
    assert codes(one_cause([at("BD101", 4, affects=("W (no. 1)",))], [at("BD304", 9, "W")])) == [["BD101"], ["BD304"]]


@pytest.mark.parametrize(
    ("name", "ratio", "added", "stands"),
    [
        ("self.dW1", -1.0, True, "BD321"),
        ("grads['W']", -1.0, True, "BD321"),
        ("delta2", -1.0, True, "BD107"),
        ("error", -1.0, True, "BD107"),
        ("dW", -1.0, False, "BD107"),
        ("dW", None, True, "BD107"),
    ],
)
def test_what_is_called_a_gradient_and_added_makes_the_update_the_cause(name, ratio, added, stands):
    claims = [Claimed("W", name, 3, True, ratio, added)]
    found = one_cause([at("BD107", 3, affects=("W",))], [at("BD321", 9, "W")], claims)
    assert [code for part in codes(found) for code in part] == [stands]
