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


BATCH = """
import numpy as np

rng = np.random.default_rng(4)
x, y = rng.normal(size=(10, 3)), rng.normal(size=(10, 2))
W, b = rng.normal(size=(3, 4)), rng.normal(size=4)
V, c = rng.normal(size=(4, 2)), rng.normal(size=2)
for turn in range(5):
    h = np.tanh(x @ W + b)
    e = (h @ V + c - y) / 10
    gV, gc = h.T @ e, {gc}
    d = e @ V.T * (1 - h**2)
    gW, gb = x.T @ d, d.sum(axis=0)
    W, b, V, c = W - 0.1 * gW, b - 0.1 * gb, V - 0.1 * gV, c - 0.1 * gc
"""


@pytest.mark.parametrize(("gc", "lines"), [("e.sum(axis=0)", []), ("e.mean(axis=0)", [11])])
def test_a_factor_too_many_is_none_that_all_share(gc, lines, tmp_path):
    path = tmp_path / "batch.py"
    path.write_text(BATCH.replace("{gc}", gc), encoding="utf-8")
    assert [f.line for f in bd.check(str(path)).findings if f.severity == "error"] == lines


HALVES = """
import numpy as np

rng = np.random.default_rng(4)
x, t = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
A, c = rng.normal(size=(3, 2)), np.zeros(2)
eta, rows = 0.5, 8
for epoch in range(4):
    o = x @ A + c
    loss = ((o - t) ** 2).sum() / {size}
    d = {times} * (o - t)
    A -= eta{by} * (x.T @ d)
    c -= eta{by} * d.sum(axis=0)
"""


@pytest.mark.parametrize(
    ("size", "times", "by", "codes"), [("2", "2", "", ["BD103"]), ("2", "1", "", []), ("16", "1", " / rows", [])]
)
def test_a_learning_rate_undoes_no_factor_of_the_gradient(tmp_path, size, times, by, codes):
    """A number of samples that the update divides by belongs to the gradient; a rate that happens to be 1/2 does not."""
    path = tmp_path / "halves.py"
    path.write_text(HALVES.format(size=size, times=times, by=by), encoding="utf-8")
    assert [f.code for f in bd.check(str(path)).findings if f.severity != "note"] == codes
