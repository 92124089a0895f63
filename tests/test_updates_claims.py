"""Steps that stand among updates and are made of no gradient: accused where it is measured, silent where it is meant so."""

from __future__ import annotations

import pytest

import backpropdoctor as bd

PROGRAM = """
import numpy as np
rng = np.random.default_rng(3)
points, wanted = rng.normal(size=(7, 3)), rng.normal(size=(7, 3))
tempo = 0.2
kernel, shift = rng.normal(size=(3, 3)), rng.normal(size=3) * 0.1
mixer, offset = rng.normal(size=(3, 3)), rng.normal(size=3) * 0.1
middle, slack = np.zeros(3), np.ones(3)
for turn in range(6):
    inner = np.tanh(points @ kernel + shift)
    guess = inner @ mixer + offset
    cost = ((guess - wanted) ** 2).sum() / 2 / len(points)
    back = (guess - wanted) / len(points)
    to_mixer, to_offset = inner.T @ back, back.sum(axis=0)
    back = back @ mixer.T * (1 - inner**2)
    to_kernel, to_shift = points.T @ back, back.sum(axis=0)
    kernel -= tempo * to_kernel
    shift -= tempo * to_shift
    mixer -= tempo * to_mixer
    offset -= tempo * to_offset
"""

FAULTS = {
    "shift -= tempo * to_shift": ["shift -= tempo * offset", "shift -= tempo * shift", "shift = -tempo * to_shift"],
    "shift -= tempo * to_shift\n": ["shift = offset - tempo * to_shift\n"],
    "offset -= tempo * to_offset": [
        "offset -= tempo * mixer.sum(axis=0)",
        "offset -= tempo * shift",
        "offset = tempo * to_offset",
    ],
    "inner.T @ back, back.sum(axis=0)\n": ["inner.T @ back, wanted.sum(axis=0)\n"],
}

# what may stand beside an update with its learning rate, and is no gradient
HEALTHY = [
    "middle += tempo * (points.mean(axis=0) - middle)",  # a running mean
    "middle += tempo * points.mean(axis=0)",  # a sum that nothing reads
    "offset -= tempo * 0.01 * offset",  # a decay
    "slack = tempo * to_offset",  # the last step, kept
    "back = tempo * back",
    "middle = offset - tempo * to_offset",  # a look ahead, of which nothing is made
]


@pytest.mark.parametrize(("before", "after"), [(b, a) for b, rows in FAULTS.items() for a in rows])
def test_a_step_that_is_no_gradient_is_an_error_at_its_line(tmp_path, before, after):
    at = PROGRAM.index(before)
    script = tmp_path / "train.py"
    script.write_text(PROGRAM[:at] + after + PROGRAM[at + len(before) :])
    [finding] = bd.check(str(script)).findings
    assert finding.severity == "error"
    assert finding.line == PROGRAM[:at].count("\n") + 1
    assert finding.explanations[0].status == "verified"


@pytest.mark.parametrize("line", ["", *HEALTHY])
def test_what_stands_beside_the_updates_is_no_fault(tmp_path, line):
    script = tmp_path / "train.py"
    script.write_text(f"{PROGRAM}    {line}\n")
    report = bd.check(str(script))
    assert [f.message for f in report.findings if f.severity == "error"] == []
    assert report.status == "healthy"


def test_a_step_from_another_point_is_no_fault(tmp_path):
    ahead = PROGRAM.replace("inner @ mixer + offset", "inner @ mixer + middle").replace("turn in range(6)", "turn in range(12)")
    ahead = ahead.replace("offset -= tempo * to_offset", "offset -= tempo * to_offset\n    middle = offset - tempo * to_offset")
    script = tmp_path / "train.py"
    script.write_text(ahead)
    assert [f.message for f in bd.check(str(script)).findings if f.severity == "error"] == []


def test_a_multiplier_that_goes_up_is_no_parameter_gone_wrong(tmp_path):
    script = tmp_path / "train.py"
    dual = PROGRAM.replace("cost = (", "force = (kernel**2).sum() - 1.0\n    cost = slack.sum() * force + (")
    dual = dual.replace("tempo * to_kernel", "tempo * (to_kernel + 2 * slack.sum() * kernel)")
    script.write_text(dual + "    slack += tempo * force * np.ones(3)\n")
    assert [f.message for f in bd.check(str(script)).findings if f.severity == "error"] == []


def test_without_a_gradient_that_is_right_nothing_is_said_of_its_company(tmp_path):
    script = tmp_path / "train.py"
    hebb = PROGRAM.replace("    cost = ((guess - wanted) ** 2).sum() / 2 / len(points)\n", "")
    for name in ("kernel", "shift", "mixer", "offset"):
        hebb = hebb.replace(f"tempo * to_{name}", f"tempo * (to_{name} ** 2 + points.sum(axis=0))")
    script.write_text(hebb.replace("(to_shift ** 2 + points.sum(axis=0))", "points.sum(axis=0)"))
    assert [f.code for f in bd.check(str(script)).findings if f.severity == "error"] == []


GRAPH = """
import numpy as np
rng = np.random.default_rng(6)


class Cell:
    def __init__(self, held, parts=(), rule=None):
        self.held, self.grad, self.parts, self.rule = held, None, parts, rule

    def pull(self, upstream):
        self.grad = upstream if self.grad is None else self.grad + upstream
        if self.rule is not None:
            for part, share in zip(self.parts, self.rule({upstream})):
                part.pull(share)


def mix(x, w):
    return Cell(x.held @ w.held, (x, w), lambda g: (g @ w.held.T, x.held.T @ g))


def bend(x):
    return Cell(np.tanh(x.held), (x,), lambda g: (g * (1 - np.tanh(x.held) ** 2),))


def far(x, goal):
    return Cell(((x.held - goal) ** 2).mean(), (x,), lambda g: (2 * g * (x.held - goal) / goal.size,))


points = rng.normal(size=(8, 3))
goals = np.sin(points[:, :1])
first, second = Cell(rng.normal(size=(3, 4))), Cell(rng.normal(size=(4, 1)))
rate = 0.1
for turn in range(12):
    cost = far(mix(bend(mix(Cell(points), first)), second), goals)
    first.grad = second.grad = None
    cost.pull(np.ones(()))
    first.held = first.held - rate * first.grad
    second.held = second.held - rate * second.grad
"""


def test_an_update_along_a_gradient_by_name_is_one_whatever_the_gradient_is_made_of(tmp_path):
    path = tmp_path / "train.py"
    path.write_text(GRAPH.replace("{upstream}", "np.ones_like(upstream)"))
    [found] = [f for f in bd.check(str(path)).findings if f.severity == "error"]
    assert (found.line, found.fixes[0].after) == (13, "upstream")
    path.write_text(GRAPH.replace("{upstream}", "upstream"))
    assert bd.check(str(path)).ok
