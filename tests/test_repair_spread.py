"""Values that spread by broadcasting, and axes of which one is missing: one finding, at the line where it happens."""

from __future__ import annotations

import pytest

FIELDS = """\
import numpy as np

rng = np.random.default_rng(14)
maps, goal = rng.normal(size=(6, 2, 3, 3)), rng.normal(size=(6, 2))
tilt = rng.normal(size=(1, 2, 1, 1))
W, c = rng.normal(size=(2, 2)), np.zeros((1, 2))
pace = 0.05
for sweep in range(12):
    centre = maps.mean(axis=(0, 2, 3), keepdims=True)
    bent = np.tanh((maps - centre) * tilt)
    pooled = bent.mean(axis=(2, 3))
    guess = pooled @ W + c
    loss = np.sum((guess - goal) ** 2)
    d = 2 * (guess - goal)
    dW = pooled.T @ d
    dc = d.sum(axis=0, keepdims=True)
    d_bent = np.repeat((d @ W.T)[:, :, None, None] / 9, 9, axis=2).reshape(6, 2, 3, 3)
    d_tilt = (d_bent * (1 - bent**2) * (maps - centre)).sum(axis=(0, 2, 3), keepdims=True)
    W -= pace * dW
    c = c - pace * dc
    tilt -= pace * d_tilt
"""

FAULTS = {
    "one column for all": ("d = 2 * (guess - goal)", "d = 2 * (guess - goal[:, :1])", 14, "BD111"),
    "a gradient that lets its parameter grow": ("dc = d.sum(axis=0, keepdims=True)", "dc = d", 16, "BD310"),
    "one axis of three is missing": (
        ".sum(axis=(0, 2, 3), keepdims=True)\n    W",
        ".sum(axis=(2, 3), keepdims=True)[:1]\n    W",
        18,
        None,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_there_is_one_finding_where_it_happens(name, checked):
    before, after, line, code = FAULTS[name]
    assert FIELDS.count(before) == 1
    [finding] = [f for f in checked(FIELDS.replace(before, after)).findings if f.severity == "error"]
    assert finding.line == line
    assert code in (None, finding.code)


def test_nothing_is_said_of_the_right_program(checked):
    assert not checked(FIELDS).findings


NORMED = """\
import numpy as np

rng = np.random.default_rng(4)
maps, goal = rng.normal(size=(4, 2, 3, 3)) * [[[1.0, 2, 0.5]]], rng.normal(size=(4, 2, 3, 3))
pitch = 1 + 0.2 * rng.normal(size=(1, 2, 1, 1))
shift = 0.1 * rng.normal(size=(1, 2, 1, 1))
for sweep in range(8):
    raw = maps + shift
    mid = raw - raw.mean(axis=(0, 2, 3), keepdims=True)
    out = np.tanh(mid) * pitch
    loss = np.sum((out - goal) ** 2)
    d = 2 * (out - goal)
    d_mid = d * pitch * (1 - np.tanh(mid) ** 2)
    d_raw = d_mid - d_mid.mean(axis=(0, 2, 3), keepdims=True)
    pitch -= 0.002 * (d * np.tanh(mid)).sum(axis=(0, 2, 3), keepdims=True)
    shift -= 0.002 * d_raw.sum(axis=(0, 2, 3), keepdims=True)
"""


def test_an_axis_that_the_forward_pass_lacks_beside_others_is_found(checked):
    wrong = NORMED.replace("raw - raw.mean(axis=(0, 2, 3)", "raw - raw.mean(axis=(2, 3)")
    wrong = wrong.replace("raw = maps + shift", "raw = maps * (2 + shift)").replace("d_raw.sum(axis", "(d_raw * maps).sum(axis")
    right = wrong.replace("raw - raw.mean(axis=(2, 3)", "raw - raw.mean(axis=(0, 2, 3)")
    assert not [f for f in checked(right).findings if f.severity == "error"]
    [finding] = [f for f in checked(wrong).findings if f.severity == "error"]
    assert "verified" in [e.status for e in finding.explanations]
