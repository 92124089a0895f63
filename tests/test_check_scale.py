"""A factor that all gradients share is a convention where it stays what it is, and a fault where the values decide it."""

from __future__ import annotations

import pytest

import backpropdoctor as bd

ONLINE = """
import numpy as np

rng = np.random.default_rng(8)
inputs, targets = rng.normal(size=(12, 3)), rng.random(size=12)
w, c = rng.normal(size=3), 0.1
for epoch in range(4):
    for x, t in zip(inputs, targets):
        o = 1 / (1 + np.exp(-(x @ w + c)))
        loss = (t - o) ** 2
        d = {delta}
        w += 0.3 * d * x
        c += 0.3 * d
    print(epoch, loss)
"""


def _check(tmp_path, delta):
    path = tmp_path / "online.py"
    path.write_text(ONLINE.replace("{delta}", delta), encoding="utf-8")
    return bd.check(str(path))


@pytest.mark.parametrize("delta", ["2 * (t - o) * o * (1 - o)"])
def test_right_from_sample_to_sample(tmp_path, delta):
    assert _check(tmp_path, delta).findings == ()


def test_a_half_of_every_gradient_is_a_convention(tmp_path):
    assert [f.code for f in _check(tmp_path, "(t - o) * o * (1 - o)").findings] == ["BD103"]


@pytest.mark.parametrize("delta", ["2 * (t - o) * (1 - o)", "2 * (t - o) * t * (1 - o)"])
def test_a_factor_that_changes_with_the_sample_is_none(tmp_path, delta):
    found = _check(tmp_path, delta).findings
    assert [(f.severity, f.line) for f in found] == [("error", 11)]
    assert all(e.status == "verified" for e in found[0].explanations)
